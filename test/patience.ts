/** When a test counts as hanging, in ms, also on a machine that is busy with something else: none measures time by it. */
export const patience = { testTimeout: 60_000, hookTimeout: 60_000 };
