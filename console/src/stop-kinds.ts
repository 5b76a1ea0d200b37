import type { stopKindSchema } from '@turnward/contract/api/stops'
import type { z } from 'zod'

/** What can be stopped. Written out, so that the schemas stay out of the bundle. */
export const stopKinds = ['agent', 'principal', 'tool', 'server', 'session'] as const satisfies readonly z.output<typeof stopKindSchema>[]
