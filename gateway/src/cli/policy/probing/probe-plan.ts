/** The plan of a probe: which tools write the mark, which are asked for it, and what takes it away again. Nothing else is called. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { plainValue, spotOf } from '../../../config/locate.ts'
import { ConfigError, ProblemList } from '../../../config/problems.ts'
import { maxFileBytes, parseSource, readText } from '../../../config/read-file.ts'
import { reportIssues } from '../../../config/schema-problems.ts'
import type { JsonObject, JsonValue } from '../../../core/json.ts'

/** Stands for the mark in the arguments of a plan. */
export const markPlace = '$MARK'

const callSchema = z.strictObject({ tool: z.string().min(1).max(256), args: z.record(z.string(), z.json()).default({}) })

const planSchema = z.strictObject({
  writes: z
    .array(
      callSchema.refine(({ args }) => JSON.stringify(args).includes(markPlace), {
        message: `no argument has \`${markPlace}\`, so nothing would be marked`,
      }),
    )
    .min(1)
    .max(50),
  reads: z.array(callSchema).min(1).max(200),
  cleans: z.array(callSchema).max(50).default([]),
})

export type ProbePlan = z.infer<typeof planSchema>
export type ProbeCall = z.infer<typeof callSchema>

/** Throws ConfigError with everything that is wrong with it. */
export async function readProbePlan(path: string): Promise<ProbePlan> {
  const file = resolve(path)
  const problems = new ProblemList()
  const text = await readText(file, maxFileBytes).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : 'cannot be read'
    problems.addRaw({ code: 'config.invalid', file, line: 1, column: 1, path: '', message })
    return undefined
  })
  const root = text === undefined ? undefined : parseSource(file, text, problems)
  const read = root === undefined ? undefined : planSchema.safeParse(plainValue(root))
  if (root !== undefined && read?.success === false)
    reportIssues(read.error.issues, root, plainValue(root), (at, message, options = {}) =>
      problems.add(spotOf(root, at, options.where ?? 'value'), at, message, options),
    )
  if (read?.success !== true || problems.size > 0) throw new ConfigError(problems.sorted(), dirname(file))
  return read.data
}

/** The arguments of a call with the mark in its place. */
export function marked(args: ProbeCall['args'], mark: string): JsonObject {
  const put = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return value.replaceAll(markPlace, mark)
    if (Array.isArray(value)) return value.map(put)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.replaceAll(markPlace, mark), put(inner)]))
  }
  return put(args as JsonObject) as JsonObject
}
