/** Faults in what outlives a call: effects that are told wrongly, words and notes that get lost, state that two writers share. */
import type { Mutant } from '../mutant.ts'

const sessions = 'gateway/src/turns/sessions'
const admitting = 'gateway/src/turns/deciding/admitting-tool-result.ts'
const admit = 'gateway/src/policy/admit.ts'
const effects = 'gateway/src/policy/effects.ts'
const index = 'gateway/src/turns/provenance/words-index.ts'
const telling = 'gateway/src/turns/telling'
const names = 'gateway/src/turns/naming/tool-names.ts'
const meaning = 'gateway/src/turns/naming/call-meaning.ts'

const effectTests = ['gateway/src/policy/effects.test.ts', 'gateway/src/policy/admit.test.ts']
const balance = ['gateway/src/invariants/06-']
const indexTests = ['gateway/src/turns/provenance/']
const tellingTests = [`${telling}/telling.test.ts`]
const stateTests = ['gateway/src/state/memory-state-store.test.ts']
const naming = ['gateway/src/turns/naming/']
const linkTests = [`${sessions}/linking.test.ts`]

export const settlingFaults: readonly Mutant[] = [
  {
    name: 'refused-call-is-not-noted-as-ended',
    file: admitting,
    find: 'ended(call, release(effects, call.callKey))',
    replace: 'release(effects, call.callKey)',
    tests: balance,
  },
  {
    name: 'ended-call-is-settled-again',
    file: admit,
    find: 'if (isEnded(effects, callKey)) return effects',
    replace: 'void isEnded',
    tests: [...effectTests, ...balance],
  },
  {
    name: 'call-is-matched-by-the-end-of-its-key',
    file: effects,
    find: 'ledger.ended?.includes(callKey) === true',
    replace: 'ledger.ended?.some((key) => key.endsWith(callKey.slice(-1))) === true',
    tests: [...effectTests, ...balance],
  },
  {
    name: 'silent-connection-never-ends',
    file: `${sessions}/conversations.ts`,
    find: 'await services.sessions.find(owner.connection, snapshot.policy, silence)',
    replace: 'await services.sessions.find(owner.connection, snapshot.policy, idle)',
    tests: linkTests,
  },
  {
    name: 'words-known-from-elsewhere-are-remembered',
    file: index,
    find: '!except.has(print) && ',
    replace: '',
    tests: [...indexTests, `${sessions}/histories.test.ts`],
  },
  {
    name: 'model-is-told-again',
    file: `${telling}/telling-model.ts`,
    find: '!known.has(tool)',
    replace: 'known !== undefined',
    tests: tellingTests,
  },
  {
    name: 'note-is-not-put-back',
    file: 'gateway/src/turns/answering/restoring-refused.ts',
    find: 'if (note === undefined) continue',
    replace: 'if (note !== null) continue',
    tests: tellingTests,
  },
  {
    name: 'tool-of-the-history-loses-its-definition',
    file: 'gateway/src/turns/deciding/shaping-tools.ts',
    find: "offered.runs === 'vendor' || !usedNames.has(offered.name)",
    replace: 'usedNames.size >= 0',
    tests: tellingTests,
  },
  {
    name: 'state-has-no-bound-in-bytes',
    file: 'gateway/src/state/expiring-map.ts',
    find: 'while (this.#entries.size > this.#limit || this.#bytes > this.#maxBytes)',
    replace: 'while (this.#entries.size > this.#limit)',
    tests: stateTests,
  },
  { name: 'shortened-names-mean-nothing', file: names, find: 'if (cut.length > 0) return unique(cut)', replace: '', tests: naming },
  { name: 'described-client-tool-is-ours', file: names, find: 'if (this.#isDescribed(name)) return [client]', replace: '', tests: naming },
  {
    name: 'pattern-on-a-client-name-is-forgotten',
    file: names,
    find: 'unique([...alike, client])',
    replace: 'unique(alike)',
    tests: naming,
  },
  {
    name: 'endless-call-through-is-decided',
    file: meaning,
    find: 'if (this.isThrough(now.name)) return { tools, args: undefined,',
    replace: 'if (this.isThrough(now.name)) return { tools, args: now.args,',
    tests: naming,
  },
  {
    name: 'call-through-that-names-nothing-is-decided',
    file: meaning,
    find: 'args: undefined, calledAs: undefined, through: true }',
    replace: 'args: {}, calledAs: undefined, through: true }',
    tests: naming,
  },
  {
    name: 'result-that-cannot-be-admitted-is-given',
    file: 'gateway/src/turns/tool-call.ts',
    find: 'if (admitted.end.failure !== undefined) throw admitted.end.failure',
    replace: 'void admitted.end.failure',
    tests: balance,
  },
  {
    name: 'person-is-told-again',
    file: `${telling}/telling-person.ts`,
    find: 'if (state.told.includes(mark)) return [state, undefined]',
    replace: '',
    tests: ['gateway/src/turns/telling/telling.test.ts'],
  },
]
