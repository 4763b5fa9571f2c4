/**
 * How each export refuses 5: it names the argument, and says what it got. Or what RxJS says of an observable input that is none; and where any
 * object will do, the next argument is missing.
 */
export const refusal = /^(Type|Range)Error: (.+, got (5|undefined)$|You provided '5' where a stream was expected)/;
