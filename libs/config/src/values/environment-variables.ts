/** The environment of a process, or its replacement in a test. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;
