/** One answer of the model in a realtime session: a model call of ours, on record when it begins and when it is over. */
import type { UsageRecord } from '@turnward/contract/decision'
import { newId } from '../../core/ids.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { SplicedCall } from '../../wire/dialect.ts'
import { malformed } from '../../wire/request/fields.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import { costField } from '../recording/recording-model-call.ts'
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

  /** Resolves what was used, where the upstream says it. */
  recordEnd(
    conversation: Conversation,
    call: RealtimeStep,
    status: JsonValue | undefined,
    usage: JsonValue | undefined,
  ): UsageRecord | undefined {
    const used = usageOf(usage)
    const isOver = status !== 'failed' && status !== 'cancelled'
    call.services.log.append(
      recordOf(call, {
        ...this.#shared(conversation),
        type: 'outcome',
        reason: isOver ? 'The answer completed.' : 'The answer did not complete.',
        outcome: isOver ? 'ok' : status === 'failed' ? 'error' : 'cancelled',
        latencyMs: Math.round(call.services.clock.monotonic() - this.#started),
        ...(used === undefined ? {} : { usage: used, ...costField(call, pricedBy(conversation, used)) }),
      }),
    )
    return used
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

function pricedBy({ target, model }: Conversation, usage: UsageRecord): readonly PricedRound[] {
  return target === undefined ? [] : [{ upstream: target.upstream, models: [target.model ?? model], usage }]
}

function usageOf(usage: JsonValue | undefined): UsageRecord | undefined {
  if (!isObject(usage)) return undefined
  const details = isObject(usage.input_token_details) ? usage.input_token_details : {}
  const spoken = isObject(usage.output_token_details) ? usage.output_token_details : {}
  const fields = {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: details.cached_tokens,
    inputAudioTokens: details.audio_tokens,
    outputAudioTokens: spoken.audio_tokens,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, tokens]) => Number.isSafeInteger(tokens)))
}
