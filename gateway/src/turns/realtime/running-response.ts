/** One answer of the model in a realtime session: a model call of ours, on record when it begins and when it is over. */
import type { UsageRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { SplicedCall } from '../../wire/dialect.ts'
import { malformed } from '../../wire/request/fields.ts'
import { noteDecision, recordOf, type RecordFields } from '../recording/recording.ts'
import type { Conversation, RealtimeStep } from './conversation.ts'

/** Characters of one answer. */
const mostSaid = 8 * 1024 * 1024

export class RunningResponse {
  readonly modelCall = newId('mc')
  readonly #decision = newId('dec')
  readonly #started: number
  /** Its first event, until there is something of it to see. */
  created: { readonly event: JsonObject; readonly text: string } | undefined
  /** Not part of the conversation: the model cannot be told of what was refused in it. */
  isAside = false
  readonly callIds = new Set<string>()
  readonly stayed: SplicedCall[] = []
  released = 0
  /** What it said, and what it called. */
  readonly said: string[] = []
  #saidLength = 0

  constructor(started: number) {
    this.#started = started
  }

  /** Throws `upstream.malformed` for an answer without an end. */
  say(text: string): void {
    this.#saidLength += text.length
    if (this.#saidLength > mostSaid) throw malformed(`an answer says more than ${mostSaid} characters`)
    this.said.push(text)
  }

  recordBegin(conversation: Conversation, call: RealtimeStep): void {
    const { hidden } = conversation
    const record = recordOf(call, {
      ...this.#shared(conversation),
      type: 'decision',
      reason: 'The model answers in a realtime session.',
      ...(hidden.length > 0 ? { hidden: [...hidden] } : {}),
    })
    call.services.log.append(record)
    noteDecision(call, record)
  }

  recordEnd(conversation: Conversation, call: RealtimeStep, status: JsonValue | undefined, usage: JsonValue | undefined): void {
    const used = usageOf(usage)
    const isOver = status !== 'failed' && status !== 'cancelled'
    call.services.log.append(
      recordOf(call, {
        ...this.#shared(conversation),
        type: 'outcome',
        reason: isOver ? 'The answer completed.' : 'The answer did not complete.',
        outcome: isOver ? 'ok' : status === 'failed' ? 'error' : 'cancelled',
        latencyMs: Math.round(call.services.clock.monotonic() - this.#started),
        ...(used === undefined ? {} : { usage: used }),
      }),
    )
  }

  #shared({ model, grant, attempt }: Conversation): Omit<RecordFields, 'type' | 'reason'> {
    return {
      id: this.#decision,
      kind: 'model_call',
      subject: model,
      upstream: attempt?.upstream ?? null,
      verdict: 'allow',
      action: 'release',
      rules: [grant],
      credential: attempt?.credential ?? 'none',
    }
  }
}

function usageOf(usage: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(usage)) return undefined
  const details = isObject(usage.input_token_details) ? usage.input_token_details : {}
  const fields = { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens, cacheReadTokens: details.cached_tokens }
  return Object.fromEntries(Object.entries(fields).filter(([, tokens]) => Number.isSafeInteger(tokens)))
}
