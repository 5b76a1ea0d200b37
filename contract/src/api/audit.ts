/** Who changed what of the gateway: `/api/audit`, from records of the decision log. */
import { z } from 'zod'
import { actSchema, areaSchema, viaSchema } from '../administration.ts'
import { cursorSchema, limitSchema, momentSchema, nameSchema, timeSchema } from './shared.ts'

export const auditQuerySchema = z.strictObject({
  by: nameSchema.optional().meta({ description: 'Who did it: the id of a principal.' }),
  area: areaSchema.optional().meta({ description: 'What was changed.' }),
  subject: nameSchema.optional().meta({ description: 'Stands in what it was done to.' }),
  from: momentSchema.optional().meta({ description: 'Not before: Unix milliseconds, or ISO 8601.' }),
  to: momentSchema.optional().meta({ description: 'Before: Unix milliseconds, or ISO 8601.' }),
  q: z.string().min(1).max(200).optional().meta({ description: 'A text that stands in one of the values of a record.' }),
  cursor: cursorSchema.optional(),
  limit: limitSchema(50, 200),
})

export const auditedSchema = z
  .object({
    id: z.string().meta({ description: 'Of the record: `dec_…`.' }),
    time: timeSchema,
    by: z.string(),
    area: areaSchema,
    act: actSchema,
    via: viaSchema.nullable().meta({ description: '`command`: with the command line. Null where the record does not say.' }),
    subject: z.string(),
    reason: z.string(),
    turn: z.string().nullable().meta({ description: 'Of the call that was ruled on.' }),
    writer: z.int().meta({ description: 'Number of the writer whose chain it is in; 0 for a log with one.' }),
    seq: z.int(),
    hash: z.string(),
  })
  .meta({ id: 'Audited' })

export const auditSchema = z.object({
  changes: z.array(auditedSchema).meta({ description: 'The newest first.' }),
  next: z.string().nullable().meta({
    description:
      'Cursor of what comes after; null at the end. An answer looks through a bounded number of records: it may have none, and a `next`.',
  }),
  waiting: z.int().meta({ description: 'Changes made with the command line that a gateway has yet to put on record.' }),
})
