/** Loosely typed JSON: wire bodies that tests look into without a schema of their own. */

/** A JSON object whose members are read by name; what is missing is undefined. */
// oxlint-disable-next-line no-explicit-any -- a wire body has no type here, and narrowing each member would hide what a test says
export type Json = { readonly [key: string]: any }
