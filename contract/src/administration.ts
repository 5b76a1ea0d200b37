/** What is administered, and what can be done with it: as records of the decision log name it. */
import { z } from 'zod'

/** What administrators change. */
export const areaSchema = z.enum([
  'keys',
  'people',
  'accounts',
  'credentials',
  'links',
  'stops',
  'approvals',
  'configuration',
  'servers',
  'tools',
  'oauth',
  'cluster',
])
export type Area = z.output<typeof areaSchema>

/** What was done, and over what: an area, a point, and a word, such as `keys.revoke`. */
export const actSchema = z.string().regex(/^[a-z]+\.[a-z_]+$/)

/** Where it was done. `command`: with the command line, on the store. */
export const viaSchema = z.enum(['api', 'page', 'command', 'elicitation'])
