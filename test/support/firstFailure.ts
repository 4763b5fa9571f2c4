import { configureGlobal } from 'fast-check';

/** For mutation tests: that a property fails is enough there; to look for the smallest program that makes it fail takes much longer. */
configureGlobal({ endOnFailure: true });
