/** The address of an outside service that selects the fake of its client. */
export const FAKE = 'fake:';
