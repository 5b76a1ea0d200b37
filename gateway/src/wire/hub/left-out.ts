/**
 * The hints of a request that the dialect it was written in has no form for. What changes the meaning of an answer is refused
 * by name where it cannot be said; what only shapes it is left out, and told.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { HubNativeTool, HubRequest } from './conversation.ts'

/**
 * The request without tools that only the vendor of its dialect can run. They are offers beside others: a request with nothing else
 * to offer is for them, and is refused by whoever writes it.
 */
export function withoutVendorTools(request: HubRequest): { readonly request: HubRequest; readonly dropped: readonly string[] } {
  const foreign = request.tools.filter((tool): tool is HubNativeTool => tool.kind === 'native' && tool.runs === 'vendor')
  if (foreign.length === 0 || foreign.length === request.tools.length) return { request, dropped: [] }
  const dropped = foreign.map(({ value }) => `tools.${typeof value.type === 'string' ? value.type : (Object.keys(value)[0] ?? '')}`)
  return { request: { ...request, tools: request.tools.filter((tool) => tool.kind !== 'native' || tool.runs === 'client') }, dropped }
}

/** How the answer comes, which is settled by whoever asks. */
const ways: ReadonlySet<string> = new Set(['stream_options'])

/** Names of fields of the caller's request, sorted. */
export function leftOut(request: HubRequest, written: JsonObject): readonly string[] {
  const told = readHints(request)
  const kept = told.filter(({ spellings }) => spellings.some((spelling) => hasField(written, spelling)))
  const names = told.filter((hint) => hint.isAsked && !kept.includes(hint)).map(({ field }) => field)
  const saidOtherwise = new Set(told.flatMap(({ isAsked, others }) => (isAsked ? others : [])))
  const hints = Object.values(request.extras).flatMap((fields) => Object.entries(fields ?? {}))
  for (const [name, value] of hints)
    if (!ways.has(name) && !isSaid(name, value, written) && !(saidOtherwise.has(name) && saysNoMore(value))) names.push(name)
  return [...new Set(names)].sort()
}

interface ReadHint {
  /** What it is called where it was asked for. */
  readonly field: string
  readonly isAsked: boolean
  /** What dialects call it. */
  readonly spellings: readonly string[]
  /** Fields of the caller's own that say it as well. */
  readonly others: readonly string[]
}

/** Hints that have a place in the neutral form. */
function readHints({ temperature, topP, topK, user, effort }: HubRequest): readonly ReadHint[] {
  const hint = (field: string, value: unknown, spellings: readonly string[], others: readonly string[] = []): ReadHint => ({
    field,
    isAsked: value !== undefined,
    spellings,
    others,
  })
  return [
    hint('temperature', temperature, ['temperature']),
    hint('top_p', topP, ['top_p', 'topP']),
    hint('top_k', topK, ['top_k', 'topK'], ['top_k']),
    hint('user', user, ['user', 'safety_identifier', 'user_id'], ['safety_identifier']),
    hint(
      effort.at ?? 'reasoning_effort',
      // None is what a model that knows no effort does.
      effort.word === 'none' ? undefined : (effort.word ?? effort.budget),
      ['reasoning_effort', 'reasoning', 'thinking', 'effort', 'thinkingConfig'],
      ['thinking', 'output_config', 'reasoning'],
    ),
  ]
}

/** Whether an object says nothing but an effort, its budget or a format, which are read by themselves. */
function saysNoMore(value: JsonValue): boolean {
  const read = ['effort', 'format', 'type', 'budget_tokens']
  return !isObject(value) || Object.keys(value).every((name) => read.includes(name))
}

/** Whether a hint is there under its name, in either way of writing it, or asks for nothing. */
function isSaid(name: string, value: JsonValue, written: JsonObject): boolean {
  if (value === null) return true
  // Not to keep an answer is what everybody does who is not asked to.
  if (name === 'store') return value === false || written.store === value
  if (name === 'text' && isObject(value))
    return Object.keys(value).every((one) => one === 'format' || (one === 'verbosity' && hasField(written, one)))
  return (
    hasField(written, name) ||
    hasField(
      written,
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    )
  )
}

/** Whether a field is there, at the top or in the group some dialects put it into. */
function hasField(written: JsonObject, name: string): boolean {
  return [written, ...Object.values(written)].some((group) => isObject(group) && Object.hasOwn(group, name))
}
