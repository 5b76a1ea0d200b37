/** What the client says is admitted before it goes on: offers are cut down, results and words narrow the label, turns begin. */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { newId, randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import { granted } from '../../policy/grant-index.ts'
import { allGuardedFields } from '../../wire/dialects.ts'
import type { CallGate } from '../../wire/realtime/call-gate.ts'
import { type ClientEvent, type ItemView, readClientEvent, removeOffered } from '../../wire/realtime/client-events.ts'
import { invalid } from '../../wire/request/fields.ts'
import { parseGuardedJson } from '../../wire/request/json-guard.ts'
import { admitAnswered, admitAssistant, admitStranger, admitWords } from '../deciding/admitting-history.ts'
import { narrowWhenSent } from '../deciding/narrowing-when-sent.ts'
import { judgeOffer } from '../deciding/shaping-tools.ts'
import { noteOffered } from '../sessions/conversations.ts'
import { assistantDigest } from '../sessions/history.ts'
import { settleState } from '../state-of-call.ts'
import type { Conversation, RealtimeStep } from './conversation.ts'

export interface ClientEar {
  readonly conversation: Conversation
  readonly gate: CallGate
  readonly toUpstream: (text: string) => void
  /** Tells the client of an error; `about`: its event. */
  readonly refuse: (error: TurnwardError, about: JsonObject | undefined) => void
}

/** One event of the client. Rejects with what ends the session. */
export async function hearClient(ear: ClientEar, data: Buffer, isBinary: boolean): Promise<void> {
  // Who may not go on is heard no more.
  await ear.conversation.keepUp()
  let json: JsonObject | undefined
  try {
    if (isBinary) throw invalid('frame', 'events are JSON in text frames')
    const { limits } = ear.conversation.snapshot.settings
    json = parseGuardedJson(data, { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields })
    const event = readClientEvent(json, ear.conversation.model)
    const isChanged = await admitEvent(ear, json, event)
    ear.toUpstream(isChanged ? JSON.stringify(json) : data.toString('utf8'))
  } catch (thrown) {
    const error = asTurnwardError(thrown)
    if (!error.code.startsWith('request.') && error.code !== 'grant.model') throw error
    ear.refuse(error, json)
  }
}

/** Resolves with whether the event had to be changed. */
async function admitEvent({ conversation, gate }: ClientEar, json: JsonObject, event: ClientEvent): Promise<boolean> {
  const { type, options, tools, instructions, items, itemId, otherModel } = event
  if (itemId !== undefined && gate.isHidden(itemId)) throw invalid('item_id', 'there is no such item')
  for (const item of items) {
    if (item.kind === 'result' && conversation.refused.has(item.callId)) throw invalid('call_id', 'there is no such call')
    // What a call was stays: a result would otherwise be that of whatever tool the client names afterwards.
    if (item.kind === 'call' && isTaken(conversation, item.call.id)) throw invalid('call_id', 'there is such a call already')
  }
  const { snapshot, caller } = conversation
  if (otherModel !== undefined && granted(snapshot.policy.grants, caller, 'models', otherModel) === undefined)
    throw new TurnwardError('grant.model', { subject: otherModel.slice(0, 100) })
  let isChanged = false
  // The upstream knows the model under the name it was asked for there.
  if (options?.model !== undefined) {
    delete options.model
    isChanged = true
  }
  if (type === 'response.create') conversation.rounds = 0
  if (items.some((item) => item.kind === 'message' && item.role === 'user')) await conversation.personSpoke()
  if (tools === undefined && instructions === '' && items.every(({ kind }) => kind === 'reference')) return isChanged
  await conversation.step(newId('mc'), async (call) => {
    for (const item of items) await admitItem(conversation, call, item)
    if (instructions !== '') await admitWords(call, instructions, true)
    // What is sent counts from here on, for the offer too.
    await narrowWhenSent(call)
    if (options !== undefined && tools !== undefined && (await shapeOffer(conversation, call, options, tools))) isChanged = true
    await settleState(call.services)
  })
  const [item] = items
  if (type === 'conversation.item.create' && item?.kind === 'call') {
    const created = json.item as JsonObject
    if (typeof created.id !== 'string') {
      created.id = `item_${randomText(20)}`
      isChanged = true
    }
    gate.noteClients(created.id as string, item.call)
  }
  return isChanged
}

function isTaken({ made, refused }: Conversation, callId: string): boolean {
  return made.has(callId) || refused.has(callId)
}

async function admitItem(conversation: Conversation, call: RealtimeStep, item: ItemView): Promise<void> {
  const isDoubted = call.snapshot.settings.turns.unknown_history !== 'accept'
  switch (item.kind) {
    case 'reference':
      return
    case 'message': {
      const { role, text } = item
      if (role !== 'assistant') return admitWords(call, text, role === 'system')
      const message = { index: 0, role, text, calls: [], results: [], fromUser: false }
      return admitAssistant(call, { digest: assistantDigest(text, []), message })
    }
    case 'call': {
      if (isDoubted) admitStranger(call, 'unknown history', sha256(item.call.argsText))
      const { tools, args } = call.meanings.ofCall(item.call)
      conversation.made.set(item.call.id, { name: item.call.name, tools, args, callKey: item.call.id })
      return
    }
    case 'result': {
      const { callId, text } = item
      const made = conversation.made.get(callId)
      if (made === undefined) return admitStranger(call, 'unknown tool call', sha256(text))
      // Nothing else can stand in the place of what a conversation of voices has been told.
      await admitAnswered(call, { callId, text, isError: undefined }, made)
      return
    }
  }
}

/** Takes tools out that may not be called now. */
async function shapeOffer(conversation: Conversation, call: RealtimeStep, options: JsonObject, tools: readonly string[]): Promise<boolean> {
  const removed = new Set<string>()
  const offers = new Set<string>()
  for (const name of tools) {
    const { own, stays } = judgeOffer(call, call.meanings, { name, runs: 'client' }, call.session.policyState)
    for (const one of own) offers.add(one)
    if (!stays) removed.add(name)
  }
  conversation.hidden = [...removed]
  // Tool calls of these tools may come from this conversation, with a ticket or without.
  await noteOffered(call, offers)
  if (removed.size === 0) return false
  removeOffered(options, removed)
  return true
}
