/**
 * A registry document (`server.json` of the MCP registry): what somebody publishes of a server. It was written by a stranger:
 * nothing of it is a reference to a variable of this machine, and what is not known here is left to be seen, not guessed.
 */
import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import { TurnwardError } from '../../core/error.ts'

const inputFields = {
  description: z.string().optional(),
  value: z.string().optional(),
  default: z.string().optional(),
  isRequired: z.boolean().default(false),
  isSecret: z.boolean().default(false),
  format: z.string().optional(),
}
const inputSchema = z.object({ ...inputFields, variables: z.record(z.string(), z.object(inputFields)).default({}) })
const namedSchema = inputSchema.extend({ name: z.string().min(1) })
const argumentSchema = inputSchema.extend({
  type: z.enum(['positional', 'named']),
  name: z.string().optional(),
  valueHint: z.string().optional(),
  isRepeated: z.boolean().default(false),
})
const packageSchema = z.object({
  registryType: z.string(),
  registryBaseUrl: z.string().optional(),
  identifier: z.string(),
  version: z.string().optional(),
  fileSha256: z
    .string()
    .regex(/^[a-f0-9]{64}$/)
    .optional(),
  runtimeHint: z.string().optional(),
  transport: z.object({ type: z.string() }),
  runtimeArguments: z.array(argumentSchema).default([]),
  packageArguments: z.array(argumentSchema).default([]),
  environmentVariables: z.array(namedSchema).default([]),
})
const remoteSchema = z.object({
  type: z.string(),
  url: z.string(),
  headers: z.array(namedSchema).default([]),
  variables: z.record(z.string(), z.object(inputFields)).default({}),
})
const documentSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9.-]+\/[A-Za-z0-9._-]+$/),
  version: z.string(),
  packages: z.array(packageSchema).max(100).default([]),
  remotes: z.array(remoteSchema).max(100).default([]),
})

export type ServerDocument = z.infer<typeof documentSchema>
export type DocumentPackage = z.infer<typeof packageSchema>
export type DocumentRemote = z.infer<typeof remoteSchema>
export type DocumentArgument = z.infer<typeof argumentSchema>
export type DocumentInput = z.infer<typeof inputSchema>

const mostBytes = 1024 * 1024

/** Rejects with `request.invalid` for what is no such document. */
export async function readServerDocument(path: string): Promise<ServerDocument> {
  const invalid = (why: string): TurnwardError =>
    new TurnwardError('request.invalid', { subject: path, why, fix: 'Give it a `server.json` as the MCP registry has it.' })
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) throw invalid('there is no such file')
  if (size > mostBytes) throw invalid('it is longer than a registry document can be')
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    throw invalid('it is no JSON')
  }
  // The API of a registry puts what it knows itself beside the document.
  const wrapped = z.object({ server: z.unknown() }).safeParse(parsed)
  const result = documentSchema.safeParse(wrapped.success ? wrapped.data.server : parsed)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw invalid(`it is no registry document: ${issue === undefined ? '' : `\`${issue.path.join('.')}\`: ${issue.message}`}`)
}
