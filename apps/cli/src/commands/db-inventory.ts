import { Command } from 'commander';

export function dbInventoryCommand(): Command {
  return new Command('inventory')
    .description('print the class of every column, or write docs/data-inventory.md')
    .option('--write', 'write the file in the root of the workspace')
    .action(async ({ write }: { write?: true }) => {
      const [{ renderInventory }, { model }, { writeGenerated }] = await Promise.all([
        import('@airlock/database/operations'),
        import('@airlock/model'),
        import('@airlock/config/loading'),
      ]);
      const content = renderInventory(await model.loadClasses());
      if (!write) return void process.stdout.write(content);
      const path = 'docs/data-inventory.md';
      writeGenerated([{ path, content, command: 'airlock db inventory --write' }], process.cwd());
      console.log(`wrote ${path}`);
    });
}
