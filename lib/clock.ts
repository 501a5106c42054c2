/**
 * This machine's clock. Whoever is given another one lives in simulated time, and what would count on the database's clock
 * (row 47) counts on that one then.
 */
export const machineClock = (): Date => new Date();
