/**
 * What a client holds of a call that ends later: a sealed handle in the place of the server's own name of the task. It says
 * which call it was, and opens for whoever made the call and nobody else; any process can go on with it.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import type { Caller } from '../../core/principal.ts'
import { createSealer, type Sealer } from '../../tools/seal.ts'
import { proposalOf, sealedProposal } from '../asked-again.ts'
import type { ExecutedToolCall, Proposal } from '../call.ts'
import type { Services } from '../services.ts'

/** The call that a task is of. */
export interface StartedCall {
  readonly server: string
  /** `server__tool` */
  readonly tool: string
  /** The server's own name of the task. */
  readonly taskId: string
  /** Undefined where they were too many to be carried in the handle. */
  readonly args: JsonObject | undefined
  readonly argumentsDigest: string
  readonly session: string
  readonly turn: string | null
  readonly callKey: string
  readonly proposal: Proposal | undefined
  /** `dec_…` of the decision on the call. */
  readonly decision: string
}

/** A handle is a header too (`Mcp-Name`). */
const longestHandle = 8192
const longestArgs = 3000
const mostArgs = 256 * 1024
/** The server may forget a task sooner. */
const longestLifeMs = 30 * 24 * 3_600_000

const sealers = new WeakMap<Buffer, Sealer>()

function sealerOf({ secret }: Pick<Services, 'secret'>): Sealer {
  let sealer = sealers.get(secret)
  if (sealer === undefined) sealers.set(secret, (sealer = createSealer(secret, 'task', longestHandle)))
  return sealer
}

function ownerOf({ principal, consumer, actor }: Caller, gateway: string): string[] {
  return [principal.id, consumer ?? '', actor ?? '', gateway]
}

/** The task as its client gets it. */
export function sealTask(call: ExecutedToolCall, result: JsonObject): JsonObject {
  const { services, caller, gateway, request, session, turn, callKey, proposal, tool, argumentsDigest, decision } = call
  const payload: JsonObject = {
    v: tool.server,
    n: tool.name,
    i: asText(result.taskId),
    a: packed(request.args),
    h: argumentsDigest,
    s: session.id,
    t: turn,
    k: callKey,
    d: decision,
    e: services.clock.now() + longestLifeMs,
    ...(proposal === undefined ? {} : { p: sealedProposal(proposal) }),
  }
  return { ...result, taskId: sealerOf(services).seal(payload, ownerOf(caller, gateway)) }
}

/** Throws `mcp.not_found` for a handle that was not made for this caller at this gateway, or is too old. */
export function openTask(services: Services, caller: Caller, gateway: string, handle: string): StartedCall {
  const sealed = sealerOf(services).open(handle, ownerOf(caller, gateway))
  if (sealed === undefined || typeof sealed.e !== 'number' || sealed.e <= services.clock.now())
    throw new TurnwardError('mcp.not_found', { subject: 'task', why: 'there is no such task of yours' })
  return {
    server: asText(sealed.v),
    tool: asText(sealed.n),
    taskId: asText(sealed.i),
    args: unpacked(sealed.a),
    argumentsDigest: asText(sealed.h),
    session: asText(sealed.s),
    turn: typeof sealed.t === 'string' ? sealed.t : null,
    callKey: asText(sealed.k),
    decision: asText(sealed.d),
    proposal: proposalOf(sealed.p),
  }
}

function packed(args: JsonObject): string | null {
  const text = JSON.stringify(args)
  if (text.length > mostArgs) return null
  const bytes = deflateRawSync(text).toString('base64url')
  return bytes.length > longestArgs ? null : bytes
}

function unpacked(value: JsonValue | undefined): JsonObject | undefined {
  if (typeof value !== 'string') return undefined
  const args: unknown = parseExactJson(inflateRawSync(Buffer.from(value, 'base64url'), { maxOutputLength: mostArgs * 4 }).toString('utf8'))
  return isObject(args) ? args : undefined
}
