/** Faults of sessions and histories: strangers believed, forks washed clean, other people's sessions opened. */
import type { Mutant } from '../mutant.ts'

const attaching = 'gateway/src/turns/sessions/attaching-session.ts'
const admitting = 'gateway/src/turns/admitting-history.ts'
const modelCall = 'gateway/src/turns/model-call.ts'
const reader = 'gateway/src/wire/request-reader.ts'
const beginnings = 'gateway/src/wire/known-beginnings.ts'
const readerTests = ['gateway/src/wire/request-reader.test.ts']
const tools = 'gateway/src/wire/known-tools.ts'
const toolsTests = ['gateway/src/wire/known-tools.test.ts']
const model = ['gateway/src/invariants/sessions-model.test.ts']
const splices = ['gateway/src/invariants/denial-splice-model.test.ts']

export const historyFaults: readonly Mutant[] = [
  { name: 'history-is-not-admitted', file: modelCall, find: 'await admitHistory(call, history, firstNew)', replace: 'void firstNew', tests: model },
  { name: 'unknown-history-is-accepted', file: admitting, find: "settings.turns.unknown_history !== 'accept'", replace: 'settings.turns.unknown_history.length === 0', tests: model },
  { name: 'result-of-an-unknown-call-is-accepted', file: admitting, find: "admitStranger(call, 'unknown tool call', digest)", replace: 'void digest', tests: model },
  { name: 'delivered-answer-brings-no-label', file: admitting, find: "joinLabel(call, 'an earlier answer', labelFromRecord(delivered, policy))", replace: 'undefined', tests: model },
  { name: 'delivered-answer-keeps-no-label', file: 'gateway/src/turns/delivering.ts', find: 'value: labelRecord(joined, snapshot.policy), expires', replace: "value: { trust: snapshot.policy.trustRanks.at(-1) ?? '', audience: [] }, expires", tests: model },
  { name: 'delivered-answer-forgets-earlier-label', file: 'gateway/src/turns/delivering.ts', find: 'join(call.presented, labelFromRecord(earlier, snapshot.policy))', replace: 'call.presented', tests: model },
  { name: 'ledger-is-not-bound-to-the-principal', file: admitting, find: 'return `m|${principal}|${digest}`', replace: 'return `m|${digest}`', tests: model },
  { name: 'result-ledger-is-not-bound-to-the-tool', file: admitting, find: '|${made.view.name}|${result.callId}|${digest}`', replace: '|${result.callId}|${digest}`', tests: model },
  { name: 'fork-forgets-effects', file: attaching, find: 'before === undefined || isNew ? freshState(policy).effects : before.policy.effects', replace: 'freshState(policy).effects', tests: [...model, 'gateway/src/invariants/01-'] },
  { name: 'session-is-not-bound-to-the-principal', file: 'gateway/src/turns/sessions/naming-session.ts', find: "'session', caller.principal.id, caller.consumer ?? '', source, value", replace: "'session', caller.consumer ?? '', source, value", tests: model },
  { name: 'session-is-not-bound-to-the-consumer', file: 'gateway/src/turns/sessions/naming-session.ts', find: "'session', caller.principal.id, caller.consumer ?? '', source, value", replace: "'session', caller.principal.id, source, value", tests: model },
  { name: 'history-is-not-bound-to-the-principal', file: modelCall, find: "[caller.principal.id, caller.consumer ?? '']", replace: "['anyone', caller.consumer ?? '']", tests: model },
  { name: 'point-keeps-no-label', file: 'gateway/src/turns/sessions/places.ts', find: 'label: labelRecord(presented, snapshot.policy)', replace: "label: { ...labelRecord(presented, snapshot.policy), trust: snapshot.policy.trustRanks.at(-1) ?? '' }", tests: model },
  { name: 'stored-rank-shifts', file: 'gateway/src/turns/sessions/session-registry.ts', find: 'const trust = Math.max(0, name === undefined ? 0 : policy.trustRanks.indexOf(name))', replace: 'const trust = label.trust + (name === undefined ? 0 : 0)', tests: ['gateway/src/turns/sessions/session-registry.test.ts'] },
  { name: 'refused-calls-are-not-restored', file: modelCall, find: 'await restoreRefused(call, history)', replace: 'void restoreRefused', tests: splices },
  { name: 'splices-are-not-remembered', file: 'gateway/src/turns/delivering.ts', find: "await services.state.put('splice', spliced, record, expires)", replace: 'void [spliced, record]', tests: splices },
  { name: 'splice-is-lost-with-its-place', file: 'gateway/src/turns/restoring-refused.ts', find: 'return known === undefined ? (state.get', replace: 'return known === undefined && known !== undefined ? (state.get', tests: ['gateway/src/turns/restoring-refused.mutants.test.ts'] },
  { name: 'splice-is-taken-from-another-place', file: 'gateway/src/turns/restoring-refused.ts', find: 'return known === undefined ? (state.get', replace: 'return known !== null ? (state.get', tests: splices },
  { name: 'refused-round-is-not-appended', file: 'gateway/src/turns/refused-rounds.ts', find: 'call.dialect.edit.appendRound(call.body.json, round)', replace: 'void round', tests: splices },
  { name: 'digest-is-taken-from-another-place', file: 'gateway/src/turns/sessions/history.ts', find: 'known?.before === before ? known.entry', replace: 'known !== undefined ? known.entry', tests: ['gateway/src/turns/sessions/history.test.ts'] },
  { name: 'beginning-is-shared-by-everyone', file: reader, find: '`${dialect.name}|${owner}`', replace: '`${dialect.name}|${owner.slice(0, 0)}`', tests: readerTests },
  { name: 'beginning-is-not-compared', file: beginnings, find: 'if (end > bytes.length || !piece.equals(bytes.subarray(from, end)))', replace: 'if (end > bytes.length)', tests: readerTests },
  { name: 'known-tools-are-not-compared', file: tools, find: 'return text.slice(start, start + part.length) === part', replace: 'return text.length >= start + part.length', tests: toolsTests },
  { name: 'known-tools-are-shared-by-everyone', file: reader, find: 'this.#tools.placeFor(sender, ', replace: "this.#tools.placeFor(sender.slice(0, 0) + 'all', ", tests: toolsTests },
  { name: 'known-tools-can-be-changed', file: tools, find: 'seen.value = deepFreeze(value)', replace: 'seen.value = deepFreeze(null) ?? value', tests: toolsTests },
  { name: 'known-tools-may-be-deeper', file: tools, find: 'list.value === undefined || list.maxDepth !== this.maxDepth || ', replace: 'list.value === undefined || ', tests: toolsTests },
  { name: 'known-tools-are-never-forgotten', file: tools, find: 'if (this.#size > this.#capacity / 2) this.#turn()', replace: '', tests: toolsTests },
  { name: 'keys-of-known-tools-do-not-count', file: 'gateway/src/wire/json-guard.ts', find: 'keys += tools.keys', replace: 'keys += 0', tests: toolsTests },
  { name: 'what-stands-beside-known-tools-is-not-seen', file: 'gateway/src/wire/json-guard.ts', find: '`${text.slice(0, tools.start)}[]${text.slice(tools.end)}`', replace: '`${text.slice(0, tools.start)}0${text.slice(tools.end)}`', tests: toolsTests },
  { name: 'tools-are-found-anywhere', file: 'gateway/src/wire/json-guard.ts', find: 'field = depth === 1 ? name : undefined', replace: 'field = name', tests: toolsTests },
  { name: 'list-after-a-beginning-may-end-in-a-comma', file: reader, find: 'return bytes[element] === openBrace ? element : -1', replace: 'return element', tests: readerTests },
  { name: 'keys-of-a-beginning-do-not-count', file: reader, find: 'marks.keysElsewhere = ', replace: 'marks.keysElsewhere = 0 * ', tests: readerTests },
  { name: 'beginnings-are-unbounded', file: beginnings, find: 'this.#size <= this.#capacity', replace: 'this.#size > 0', tests: readerTests },
  { name: 'splice-changes-the-order-of-calls', file: 'gateway/src/wire/restoring-order.ts', find: 'merged.splice(refused.position, 0, refused.call)', replace: 'merged.push(refused.call)', tests: [...splices, 'gateway/src/wire/restoring.test.ts'] },
  { name: 'call-is-answered-twice', file: 'gateway/src/wire/restoring-order.ts', find: 'if (merged.some((answer) => answerId(answer) === call.id)) continue', replace: 'void answerId', tests: [...splices, 'gateway/src/wire/restoring.test.ts'] },
]
