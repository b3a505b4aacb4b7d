/** The role that policies for all rows name. Provisioning creates it, and `asSystem` becomes it for one transaction. */
export const SYSTEM_ROLE = 'airlock_system';
