/**
 * The fields of a Gemini request that are read and are one word, which the JSON guard takes in one spelling only. Those of more
 * words have two spellings; `spelling.ts` sees to them.
 */
export const guardedFields: ReadonlySet<string> = new Set([
  'contents',
  'role',
  'parts',
  'text',
  'thought',
  'name',
  'id',
  'tools',
  'mode',
  'data',
])
