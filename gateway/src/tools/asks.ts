/**
 * What servers may ask of the client while they work on a request: the words of a person, a model, the folders it works in.
 * Who is asked has said so beforehand; nobody is asked anything else.
 */
import { isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { everyExtension, extensionsIn, type Extension } from './extensions.ts'

/** One thing a server asks for. */
export interface Ask {
  readonly method: string
  readonly params: JsonObject
}

/** What it is answered: a result, or why there is none. */
export type AskAnswer = { readonly result: JsonObject } | { readonly error: { readonly code: number; readonly message: string } }

/** Kinds of asks, by the capability under which clients declare them. */
export type AskKind = 'elicitation' | 'sampling' | 'roots'

const kinds: Readonly<Record<string, AskKind>> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}

/** More than a person could be asked at once. */
export const mostAsks = 32

/** Requests of clients, while which a server may ask something. Lists and the like are our own. */
const askers: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'])

export function mayAsk(method: string): boolean {
  return askers.has(method)
}

export function kindOfAsk({ method }: Ask): AskKind | undefined {
  return Object.hasOwn(kinds, method) ? kinds[method] : undefined
}

/** Why the client cannot be asked this; undefined when it can. `capabilities`: as the client has declared them. */
export function whyNotAsked(ask: Ask, capabilities: JsonObject): string | undefined {
  const kind = kindOfAsk(ask)
  if (kind === undefined) return 'no client is asked such a thing'
  const declared = capabilities[kind]
  if (!isObject(declared)) return `the client does not offer \`${kind}\``
  // Until 2025-06-18 there were forms only, and an empty object declares them still.
  if (kind === 'elicitation' && ask.params.mode === 'url') {
    if (!isObject(declared.url)) return 'the client opens no pages'
    if (!isWebPage(ask.params.url)) return 'what is to be opened is no web page'
  }
  if (kind === 'sampling' && ask.params.tools !== undefined && !isObject(declared.tools)) return 'the client samples without tools'
  return undefined
}

/** Whatever else a client may be able to open (`file:`, `javascript:`, another program) is not for a server to choose. */
function isWebPage(url: JsonValue | undefined): boolean {
  return typeof url === 'string' && url.length <= 8192 && ['https:', 'http:'].includes(URL.parse(url)?.protocol ?? '')
}

/** The capability that a client lacks to be asked this, as clients declare it. */
export function capabilityFor({ method, params }: Ask): JsonObject {
  const kind = Object.hasOwn(kinds, method) ? kinds[method] : undefined
  if (kind === 'elicitation') return { elicitation: params.mode === 'url' ? { url: {} } : { form: {} } }
  if (kind === 'sampling') return { sampling: params.tools === undefined ? {} : { tools: {} } }
  return kind === undefined ? {} : { [kind]: {} }
}

/** What of a client's capabilities servers are told: what they may ask for, and nothing else. */
export function askable(capabilities: JsonObject, allowed: readonly AskKind[]): JsonObject {
  return Object.fromEntries(allowed.flatMap((kind) => (isObject(capabilities[kind]) ? [[kind, capabilities[kind]] as const] : [])))
}

/** What a server that keeps one session for all clients is told: everything that any of them may offer. Who asks is told then. */
export function everything(allowed: readonly AskKind[]): JsonObject {
  const all: Readonly<Record<AskKind, JsonObject>> = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} }
  return { ...Object.fromEntries(allowed.map((kind) => [kind, all[kind]])), extensions: everyExtension }
}

/** A result that asks for input (2026-07-28, basic/patterns/mrtr). */
export interface InputRequired {
  readonly requests: ReadonlyMap<string, Ask>
  /** The server's own, to be shown to it again. */
  readonly state: string | undefined
}

/** Undefined when the result asks for nothing. Throws a RangeError saying what is wrong with what it asks. */
export function readInputRequired(result: JsonObject): InputRequired | undefined {
  if (result.resultType !== 'input_required') return undefined
  const { inputRequests = {}, requestState } = result
  if (!isObject(inputRequests)) throw new RangeError('its input requests are no object')
  const requests = new Map(Object.entries(inputRequests).map(([key, value]) => [key, readAsk(value)] as const))
  if (requests.size > mostAsks) throw new RangeError(`it asks for more than ${mostAsks} things at once`)
  if (requestState !== undefined && requestState !== null && typeof requestState !== 'string') throw new RangeError('its state is not text')
  const state = typeof requestState === 'string' ? requestState : undefined
  if (requests.size === 0 && state === undefined) throw new RangeError('it asks for nothing')
  return { requests, state }
}

function readAsk(value: JsonValue): Ask {
  if (!isObject(value) || typeof value.method !== 'string' || !Object.hasOwn(kinds, value.method))
    throw new RangeError('it asks for something unknown')
  return { method: value.method, params: isObject(value.params) ? value.params : {} }
}

export function inputRequired(requests: ReadonlyMap<string, Ask>, state: string): JsonObject {
  return {
    resultType: 'input_required',
    inputRequests: Object.fromEntries([...requests].map(([key, { method, params }]) => [key, { method, params }])),
    requestState: state,
  }
}

/** What a client offers to be asked for, and the extensions it knows, as short as it can be said: sessions carry it. */
export function offersOf(capabilities: JsonValue | undefined, extensions: readonly Extension[] = []): JsonObject {
  if (!isObject(capabilities)) return {}
  const offers: JsonObject = {}
  const { elicitation, sampling, roots } = capabilities
  const known = extensionsIn(capabilities, extensions)
  if (known !== undefined) offers.extensions = known
  if (isObject(elicitation)) offers.elicitation = { ...flag(elicitation, 'form'), ...flag(elicitation, 'url') }
  if (isObject(sampling)) offers.sampling = { ...flag(sampling, 'tools'), ...flag(sampling, 'context') }
  if (isObject(roots)) offers.roots = {}
  return offers
}

function flag(of: JsonObject, name: string): JsonObject {
  return isObject(of[name]) ? { [name]: {} } : {}
}
