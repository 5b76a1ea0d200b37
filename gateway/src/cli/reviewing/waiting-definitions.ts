/** The definitions of tools that wait for a review, beside what was approved before. */
import { parseExactJson } from '../../core/exact-json.ts'
import { digestJson } from '../../core/hash.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Approval, HeldDefinition } from '../../store/pins.ts'
import type { Store } from '../../store/store.ts'
import { exposedName } from '../../core/exposed-names.ts'
import { definitionDiff, spelledOut } from './definition-diff.ts'

export interface WaitingDefinition {
  /** `server__tool` */
  readonly name: string
  readonly server: string
  /** As its server calls it. */
  readonly tool: string
  /** SHA-256 of the definition. */
  readonly digest: string
  /** Unix milliseconds at which it was listed first. */
  readonly seen: number
  readonly definition: JsonValue
  /** What was approved last; undefined for a tool that is new. */
  readonly before: { readonly digest: string; readonly approved: number; readonly by: string; readonly definition: JsonValue } | undefined
}

/** Everything that waits, of one server or of all. */
export async function waitingDefinitions(store: Pick<Store, 'pins'>, server: string | undefined): Promise<readonly WaitingDefinition[]> {
  const held = (await store.pins.held()).filter((one) => server === undefined || one.server === server)
  if (held.length === 0) return []
  const approvals = new Map((await store.pins.approvals()).map((approval) => [keyOf(approval), approval]))
  return held.map((one) => waiting(one, approvals.get(keyOf(one))))
}

const keyOf = ({ server, tool }: Pick<Approval, 'server' | 'tool'>): string => `${server} ${tool}`

function waiting({ server, tool, digest, seen, definition }: HeldDefinition, last: Approval | undefined): WaitingDefinition {
  const before =
    last === undefined
      ? undefined
      : { digest: last.digest, approved: last.approved, by: last.by, definition: definitionIn(last.definition) }
  return { name: exposedName(server, tool), server, tool, digest, seen, definition: definitionIn(definition), before }
}

function definitionIn(text: string): JsonValue {
  return parseExactJson(text) as JsonValue
}

/** Stands for all of these definitions together: another one more, or one that has changed, and it is another. */
export function digestOfAll(definitions: readonly WaitingDefinition[]): string {
  return digestJson(definitions.map(({ server, tool, digest }) => [server, tool, digest]))
}

/** How much of a digest is written: nobody can make two definitions that agree in so much. */
const written = 32

/** A definition by its name and its digest, as it is written to approve it. */
export function reference({ name, digest }: WaitingDefinition): string {
  return `${name}@${digest.slice(0, written)}`
}

/** What a person reads to decide. */
export function reviewText(definitions: readonly WaitingDefinition[], serverOption: string): string {
  if (definitions.length === 0) return 'No definition of a tool waits for a review.'
  const each = definitions.map((one) =>
    [
      `${one.name}  ${one.before === undefined ? 'new' : 'changed'}  listed ${new Date(one.seen).toISOString()}`,
      ...(one.tool === one.name.slice(one.server.length + 2) ? [] : [`  the server calls it ${spelledOut(one.tool)}`]),
      ...(one.before === undefined
        ? []
        : [`  approved before: ${new Date(one.before.approved).toISOString()} by ${spelledOut(one.before.by)}`]),
      ...definitionDiff(one.before?.definition, one.definition),
      `  approve: turnward tools review${serverOption} --approve ${reference(one)}`,
    ].join('\n'),
  )
  const all = `approve all ${definitions.length}: turnward tools review${serverOption} --approve-all ${digestOfAll(definitions).slice(0, written)}`
  return [...each, all].join('\n\n')
}

/** The definitions that `--approve-all` names; undefined when they are no longer these. */
export function allOf(definitions: readonly WaitingDefinition[], digest: string): readonly WaitingDefinition[] | undefined {
  return digest.length >= written && digestOfAll(definitions).startsWith(digest) ? definitions : undefined
}

/** The definition that a `name@digest` names. */
export function definitionOf(definitions: readonly WaitingDefinition[], text: string): WaitingDefinition | undefined {
  const at = text.lastIndexOf('@')
  const [name, digest] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || digest.length < written) return undefined
  return definitions.find((one) => one.name === name && one.digest.startsWith(digest))
}
