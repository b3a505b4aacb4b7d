/** The environment of a process, or what stands for it in a test. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;
