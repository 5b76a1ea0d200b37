/**
 * What becomes of every top-level request field the other dialect does not have. Fields that change what the answer
 * means are refused by name; hints and bookkeeping are dropped knowingly. Fields in neither table and not converted
 * are unknown to us and are not passed on.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { unsupported } from '../request/fields.ts'
import { given } from './reading.ts'

/** Fields that are left out on purpose, and why leaving them out does not change the meaning of the call. */
export const droppedFields = {
  'chat-completions': {
    seed: 'best-effort determinism',
    frequency_penalty: 'sampling hint',
    presence_penalty: 'sampling hint',
    verbosity: 'style hint',
    prediction: 'speeds up, never changes, the answer',
    service_tier: 'price and speed',
    store: 'keeps a copy at the vendor',
    metadata: 'labels of that copy',
    prompt_cache_key: 'caching hint',
    prompt_cache_options: 'caching hint',
    prompt_cache_retention: 'caching hint',
    stream_options: 'usage is always part of a messages stream; the stream converter honours include_usage',
  },
  messages: {
    cache_control: 'caching hint',
    top_k: 'sampling hint',
    service_tier: 'price and speed',
    speed: 'price and speed',
    diagnostics: 'explains cache misses',
    context_management: 'trims long histories at the vendor; chat servers get the history whole',
  },
} as const

interface Refusal {
  /** Why the other dialect cannot express it. */
  readonly why: string
  /** What to do instead, where there is something. */
  readonly fix?: string
  /** Values that mean the same as leaving the field out. */
  readonly harmless: (value: JsonValue) => boolean
}

const never = (): boolean => false
const isFalse = (value: JsonValue): boolean => value === false
const isEmpty = (value: JsonValue): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0
const noneInMessages = 'the messages API has nothing like it'
const noneInChat = 'the chat-completions API has nothing like it'

/** Fields that change what the answer means and have no counterpart: `request.unsupported` unless the value is harmless. */
export const refusedFields: Readonly<Record<'chat-completions' | 'messages', Readonly<Record<string, Refusal>>>> = {
  'chat-completions': {
    n: {
      why: 'the messages API gives one choice',
      fix: 'Leave out `n` and send the request several times.',
      harmless: (value) => value === 1,
    },
    logprobs: { why: noneInMessages, harmless: isFalse },
    top_logprobs: { why: noneInMessages, harmless: (value) => value === 0 },
    logit_bias: { why: noneInMessages, harmless: isEmpty },
    audio: { why: 'the messages API gives no audio', harmless: never },
    modalities: {
      why: 'the messages API gives text only',
      harmless: (value) => Array.isArray(value) && value.every((item) => item === 'text'),
    },
    web_search_options: { why: noneInMessages, fix: 'Offer a search tool instead.', harmless: never },
    moderation: { why: noneInMessages, harmless: never },
    functions: { why: 'it is deprecated', fix: 'Use `tools`.', harmless: isEmpty },
    function_call: { why: 'it is deprecated', fix: 'Use `tool_choice`.', harmless: never },
  },
  messages: {
    mcp_servers: {
      why: 'chat-completions servers do not call MCP servers',
      fix: 'Register the servers with the gateway.',
      harmless: isEmpty,
    },
    container: { why: noneInChat, harmless: never },
    inference_geo: { why: 'no chat-completions field promises where inference runs', harmless: never },
  },
}

/** Throws `request.unsupported` for the first refused field whose value means something. */
export function refuseFields(body: JsonObject, dialect: 'chat-completions' | 'messages'): void {
  for (const [field, refusal] of Object.entries(refusedFields[dialect])) {
    const value = given(body, field)
    if (value !== undefined && !refusal.harmless(value)) throw unsupported(field, refusal.why, refusal.fix)
  }
}
