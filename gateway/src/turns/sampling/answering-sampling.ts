/**
 * Answers what servers ask a model for, where the configuration says with which: a model call like any other, for whoever made
 * the request, within its turn. The server's words are its prompt, so it begins with all that the conversation has read, they
 * included. What is left to ask goes to the client, which carries the answers, sealed, until it comes back.
 */
import type { McpServer } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { inputRequired, kindOfAsk, readInputRequired, type Ask, type AskAnswer } from '../../tools/asks.ts'
import { rpcCodes } from '../../tools/codec/json-rpc.ts'
import { tasksExtension } from '../../tools/extensions.ts'
import type { ServerRequest } from '../../tools/operations.ts'
import { abandonAsking } from '../asked-again.ts'
import type { EndedToolCall } from '../call.ts'
import { askOwnModel } from '../own-model-call.ts'
import type { Services } from '../services.ts'
import { answeredBefore, carried, type Answered } from './carried-answers.ts'
import { messagesRequest, sampledMessage } from './sampled-message.ts'

type SamplingConfig = NonNullable<Exclude<McpServer['config'], { transport: 'openapi' }>['sampling']>

/** With which model a server is answered; an API asks for none. */
function samplingOf(config: McpServer['config'] | undefined): SamplingConfig | undefined {
  return config === undefined || config.transport === 'openapi' ? undefined : config.sampling
}

/** A request that has been run, and what its client is answered. */
export interface RunRequest {
  readonly result: JsonObject
  readonly call: EndedToolCall
}

/** What a server is told that it may ask for: what the client offers, and a model where the gateway has one for it. */
export function offersWithSampling(offers: JsonObject | undefined, server: McpServer | undefined): JsonObject | undefined {
  if (samplingOf(server?.config) === undefined) return offers
  const { extensions, ...rest } = offers ?? {}
  // Calls that end later are asked about by those who poll; there is nobody to ask this model then.
  const { [tasksExtension]: _none, ...others } = isObject(extensions) ? extensions : {}
  return { ...rest, ...(Object.keys(others).length === 0 ? {} : { extensions: others }), sampling: {} }
}

/** Runs a request until there is nothing left that a model of the gateway answers. Resolves with what its client is answered. */
export async function withSampling(
  services: Services,
  request: ServerRequest,
  run: (request: ServerRequest) => Promise<RunRequest>,
): Promise<JsonObject> {
  const before = answeredBefore(services.secret, request.resumed)
  let { result, call } = await run(before === undefined ? request : { ...request, resumed: before.resumed })
  let count = before?.count ?? 0
  for (;;) {
    const sampling = samplingOf(call.snapshot.servers.get(call.tool.server)?.config)
    const asked = sampling === undefined ? undefined : readInputRequired(result)
    if (sampling === undefined || asked?.state === undefined) return result
    const answers = new Map<string, AskAnswer>()
    try {
      for (const [key, ask] of asked.requests) {
        if (kindOfAsk(ask) !== 'sampling') continue
        count += 1
        answers.set(key, count > sampling.max_calls ? tooMany(sampling) : await sample(services, call, sampling, ask))
      }
    } catch (error) {
      // Nobody comes back to it.
      abandonAsking(call)
      throw error
    }
    const rest = new Map([...asked.requests].filter(([key]) => !answers.has(key)))
    if (rest.size > 0 || answers.size === 0) return leftToAsk(services, call, rest, { state: asked.state, answers, count })
    ;({ result, call } = await run({ ...request, resumed: { state: asked.state, answers } }))
  }
}

function leftToAsk(services: Services, { tool, result }: EndedToolCall, rest: ReadonlyMap<string, Ask>, answered: Answered): JsonObject {
  // Nothing of it was for a model so far.
  if (answered.count === 0) return result
  const state = carried(services.secret, answered)
  if (state === undefined)
    throw new TurnwardError('mcp.server_unavailable', { subject: tool.server, why: 'what it has asked a model for is too large' })
  return inputRequired(rest, state)
}

function tooMany({ max_calls: most }: SamplingConfig): AskAnswer {
  return { error: { code: rpcCodes.invalidRequest, message: `a model is asked no more than ${most} times within one request` } }
}

async function sample(services: Services, call: EndedToolCall, config: SamplingConfig, { params }: Ask): Promise<AskAnswer> {
  let body: JsonObject
  try {
    body = messagesRequest(params, config)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { error: { code: rpcCodes.invalidParams, message: error.message } }
  }
  const { caller, request, tool, decision, session } = call
  const asked = await askOwnModel(services, call, {
    caller: { ...caller, askedBy: { server: tool.server, decision } },
    body,
    label: session.policyState.label,
    source: 'sampling',
    signal: request.signal,
  })
  if ('failed' in asked) return failed(asked.failed)
  const result = sampledMessage(asked.answer)
  return result === undefined ? failed('the model said nothing') : { result }
}

/** The server is told no more than the code: the rest is on record, and not for its eyes. */
function failed(why: string): AskAnswer {
  return { error: { code: rpcCodes.internalError, message: `no model answered (${why})` } }
}
