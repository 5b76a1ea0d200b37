/** Faults in what agents are held to: names that walk around, tickets that fit anybody, conversations and turns that are mixed up, words that lose their label. */
import type { Mutant } from '../mutant.ts'

const sessions = 'gateway/src/turns/sessions'
const names = 'gateway/src/turns/naming/tool-names.ts'
const meaning = 'gateway/src/turns/naming/call-meaning.ts'
const judging = 'gateway/src/turns/naming/judging-meaning.ts'
const tickets = `${sessions}/tickets.ts`
const linking = `${sessions}/linking-session.ts`
const conversations = `${sessions}/conversations.ts`
const attaching = `${sessions}/attaching-session.ts`
const spawned = `${sessions}/spawned-agents.ts`
const admitting = 'gateway/src/turns/deciding/admitting-history.ts'
const words = 'gateway/src/turns/provenance'
const recording = 'gateway/src/turns/recording/recording-tool-call.ts'

const naming = ['gateway/src/turns/naming/']
const ticketTests = [`${sessions}/tickets.test.ts`]
const linkTests = [`${sessions}/linking.test.ts`]
const histories = [`${sessions}/histories.test.ts`]
const stories = ['gateway/src/invariants/agents-model-examples.test.ts']
const model = ['gateway/src/invariants/agents-model.test.ts']
const sessionRules = ['gateway/src/invariants/sessions-model.test.ts']
const index = [`${words}/words-index.test.ts`]

export const agentFaults: readonly Mutant[] = [
  // What a name means.
  {
    name: 'prefixed-names-of-unlisted-tools-are-the-clients',
    file: names,
    find: 'const prefixed = ends.flatMap((end) => this.#own(end) ?? [])',
    replace: 'const prefixed = ends.slice(0, 0).flatMap((end) => this.#own(end) ?? [])',
    tests: naming,
  },
  {
    name: 'prefixed-names-walk-around',
    file: names,
    find: 'const ends = endsOf(name.slice(-longestName))',
    replace: "const ends = endsOf('')",
    tests: model,
  },
  {
    name: 'a-colon-is-no-separator',
    file: names,
    find: 'const separators = /[_\\-./:]/',
    replace: 'const separators = /[_\\-./]/',
    tests: naming,
  },
  {
    name: 'a-name-means-one-of-several',
    file: names,
    find: 'return this.#policy.contractOf(name) === undefined ? unique(alike)',
    replace: 'return this.#policy.contractOf(name) === undefined ? unique(alike.slice(0, 1))',
    tests: naming,
  },
  {
    name: 'a-name-depends-on-what-is-listed',
    file: names,
    find: 'return prefix === undefined ? undefined : { name, server: prefix.slice(0, -2) }',
    replace: 'return undefined',
    tests: naming,
  },
  {
    name: 'described-names-hide-prefixed-ones',
    file: names,
    find: "const client: ToolSubject = { name, server: 'client' }",
    replace: "const client: ToolSubject = { name, server: 'client' }\n    if (this.#isDescribed(name)) return [client]",
    tests: naming,
  },
  {
    name: 'call-through-is-not-unwrapped',
    file: meaning,
    find: 'if (fields === undefined) break',
    replace: 'if (fields !== null) break',
    tests: naming,
  },
  {
    name: 'call-through-tools-walk-around',
    file: meaning,
    find: 'return Object.hasOwn(this.#through, name) ? this.#through[name]',
    replace: "return Object.hasOwn(this.#through, '') ? this.#through[name]",
    tests: model,
  },
  {
    name: 'call-through-as-text-has-no-arguments',
    file: meaning,
    find: 'return isObject(parsed) ? parsed : undefined',
    replace: 'return isObject(parsed) ? {} : undefined',
    tests: [...naming, ...model],
  },
  {
    name: 'only-the-first-meaning-is-judged',
    file: judging,
    find: 'for (const tool of others) {',
    replace: 'for (const tool of others.slice(0, 0)) {',
    tests: naming,
  },

  // Tickets.
  {
    name: 'oldest-ticket-is-taken',
    file: tickets,
    find: 'const found = exact ?? free.at(-1)',
    replace: 'const found = exact ?? free.at(0)',
    tests: ticketTests,
  },
  {
    name: 'call-id-is-not-looked-at',
    file: tickets,
    find: 'free.findLast((ticket) => ticket.callId === callId)',
    replace: "free.findLast((ticket) => ticket.callId === '')",
    tests: ticketTests,
  },
  {
    name: 'ticket-is-not-bound-to-the-actor',
    file: tickets,
    find: "consumer ?? '', actor ?? ''",
    replace: "consumer ?? '', actor === null ? '' : ''",
    tests: ticketTests,
  },
  {
    name: 'ticket-is-not-bound-to-the-consumer',
    file: tickets,
    find: "principal.id, consumer ?? ''",
    replace: "principal.id, consumer === null ? '' : ''",
    tests: ticketTests,
  },
  {
    name: 'ticket-is-not-bound-to-its-principal',
    file: tickets,
    find: "'ticket', principal.id,",
    replace: "'ticket', principal.id.slice(0, 0),",
    tests: ticketTests,
  },
  {
    name: 'ticket-fits-any-arguments',
    file: tickets,
    find: '${tool}${argumentsDigest}`',
    replace: '${tool}${argumentsDigest.slice(0, 0)}`',
    tests: ticketTests,
  },
  {
    name: 'ticket-is-held-by-several',
    file: tickets,
    find: 'living.filter(({ heldUntil = 0 }) => heldUntil <= now)',
    replace: 'living.filter(({ heldUntil = 0 }) => heldUntil >= 0)',
    tests: ticketTests,
  },
  {
    name: 'ticket-never-runs-out',
    file: tickets,
    find: '(waiting ?? []).filter(({ expires }) => expires > now)',
    replace: '(waiting ?? []).filter(({ expires }) => expires > 0)',
    tests: ticketTests,
  },
  {
    name: 'ticket-is-never-used-up',
    file: recording,
    find: 'if (held !== undefined) await useTicket(services.state, held.key, held.ticket)',
    replace: 'void useTicket',
    tests: stories,
  },
  {
    name: 'ticket-is-lost-with-its-record',
    file: recording,
    find: 'if (held !== undefined) await giveBackTicket(services.state, held.key, held.ticket)',
    replace: 'if (held !== undefined) await useTicket(services.state, held.key, held.ticket)\n    void giveBackTicket',
    tests: [...linkTests, 'gateway/src/invariants/03-'],
  },
  {
    name: 'ticket-is-clean-whoever-takes-it',
    file: linking,
    find: 'await joinAlike(services, snapshot, held.ticket, connection.policy.label)',
    replace: 'await joinAlike(services, snapshot, { ...held.ticket, alike: [] }, connection.policy.label)',
    tests: stories,
  },
  {
    name: 'alike-calls-are-forgotten-when-one-is-made',
    file: tickets,
    find: 'living.flatMap(({ session, alike = [] }) => [session, ...alike])',
    replace: 'living.slice(-1).flatMap(({ session, alike = [] }) => [session, ...alike])',
    tests: [...ticketTests, ...stories],
  },
  {
    name: 'a-named-call-is-decided-on-others',
    file: tickets,
    find: 'exact === undefined ? found : alone',
    replace: 'exact === undefined ? found : found ?? alone',
    tests: [...ticketTests, ...stories],
  },
  {
    name: 'defaults-lose-the-ticket',
    file: linking,
    find: 'const settled = tool?.settled(args) ?? args',
    replace: 'const settled = tool?.name === undefined ? args : args',
    tests: linkTests,
  },

  // Which conversation a call belongs to.
  {
    name: 'ticketed-call-narrows-the-connection',
    file: linking,
    find: 'if (session !== undefined) return { session, turn: held.ticket.turn',
    replace: 'if (session !== undefined) return { session: connection, turn: held.ticket.turn',
    tests: linkTests,
  },
  {
    name: 'ticketed-call-ignores-its-connection',
    file: linking,
    find: 'held.ticket, connection.policy.label)',
    replace: 'held.ticket, session.policy.label)',
    tests: linkTests,
  },
  {
    name: 'unticketed-call-is-decided-alone',
    file: linking,
    find: 'connection.policy.label : join(connection.policy.label, label)',
    replace: 'connection.policy.label : join(connection.policy.label, connection.policy.label)',
    tests: model,
  },
  {
    name: 'unticketed-call-knows-no-call-through',
    file: conversations,
    find: ' || session.state.offered.includes(anyTool))',
    replace: ' || session.state.offered.includes(tool))',
    tests: model,
  },
  {
    name: 'unticketed-call-knows-no-offers',
    file: conversations,
    find: '(session.state.offered.includes(tool) || ',
    replace: "(session.state.offered.includes('') || ",
    tests: linkTests,
  },
  {
    name: 'linking-goes-back-for-ever',
    file: conversations,
    find: 'if (now - at > window * (1 + freshness)) continue',
    replace: 'if (now - at > idle * (1 + freshness)) continue',
    tests: linkTests,
  },
  {
    name: 'linking-forgets-at-once',
    file: conversations,
    find: 'if (now - at > window * (1 + freshness)) continue',
    replace: 'if (now - at > window * freshness) continue',
    tests: stories,
  },
  {
    name: 'owners-are-not-told-apart-by-application',
    file: conversations,
    find: "principal.id, consumer ?? '', actor ?? '')",
    replace: "principal.id, actor ?? '')",
    tests: linkTests,
  },
  {
    name: 'owners-are-not-told-apart-by-agent',
    file: conversations,
    find: "principal.id, consumer ?? '', actor ?? '')",
    replace: "principal.id, consumer ?? '')",
    tests: linkTests,
  },
  {
    name: 'crowded-owners-are-clean',
    file: conversations,
    find: 'isCrowded ? unknownLabel(caller.principal)',
    replace: 'isCrowded ? freshState(snapshot.policy).label',
    tests: linkTests,
  },
  {
    name: 'a-call-chooses-a-clean-session',
    file: linking,
    find: 'isNamed && sessions.some(({ id }) => id === connection.id) ?',
    replace: 'isNamed && sessions.length >= 0 ?',
    tests: linkTests,
  },
  {
    name: 'returned-session-id-names-another',
    file: `${sessions}/naming-session.ts`,
    find: "name.value.startsWith('ses_')",
    replace: "name.value.startsWith('ses_ ')",
    tests: linkTests,
  },
  {
    name: 'returned-session-id-opens-any',
    file: `${sessions}/naming-session.ts`,
    find: 'own.state.principal === caller.principal.id && own.state.consumer === caller.consumer',
    replace: 'own.state.principal === caller.principal.id',
    tests: linkTests,
  },

  // Histories, forks, agents.
  {
    name: 'conversations-that-begin-alike-are-one',
    file: attaching,
    find: 'if (isAgain && known.place.failed !== true) return false',
    replace: 'void isAgain',
    tests: stories,
  },
  {
    name: 'a-retry-is-a-second-conversation',
    file: attaching,
    find: 'if (isAgain && known.place.failed !== true) return false',
    replace: 'if (isAgain) return false',
    tests: histories,
  },
  { name: 'two-branches-share-a-session', file: attaching, find: 'if (state.head !== left || ', replace: 'if (', tests: sessionRules },
  {
    name: 'a-branch-without-the-answer-stays',
    file: attaching,
    find: '(dropsAnswer && state.headAnswered)',
    replace: '(dropsAnswer && !state.headAnswered && state.headAnswered)',
    tests: stories,
  },
  {
    name: 'a-known-place-carries-no-label',
    file: attaching,
    find: 'known === undefined ? freshState(snapshot.policy).label',
    replace: 'known !== null ? freshState(snapshot.policy).label',
    tests: sessionRules,
  },
  {
    name: 'agents-are-not-known-by-their-task',
    file: spawned,
    find: 'return found === undefined || session === undefined ? undefined : { session, turn: found.turn }',
    replace: 'return found === undefined || session !== undefined ? undefined : { session, turn: found.turn }',
    tests: histories,
  },
  {
    name: 'agents-are-not-known-by-their-task-under-a-name',
    file: attaching,
    find: 'const session = await named(name, started?.session)',
    replace: 'const session = await named(name)',
    tests: stories,
  },
  { name: 'agents-come-back-clean', file: admitting, find: 'join(label, await labelOfAgents(call))', replace: 'label', tests: histories },
  {
    name: 'agents-begin-clean',
    file: `${sessions}/naming-session.ts`,
    find: '{ ...freshState(snapshot.policy), label: parent.policy.label }',
    replace: 'freshState(snapshot.policy)',
    tests: [...histories, ...stories],
  },

  // Turns.
  {
    name: 'every-request-is-a-turn',
    file: attaching,
    find: 'known.index >= said && known.place.turn !== null',
    replace: 'known.index > history.length && known.place.turn !== null',
    tests: histories,
  },
  {
    name: 'a-turn-never-ends',
    file: attaching,
    find: 'known !== undefined && known.index >= said &&',
    replace: 'known !== undefined &&',
    tests: histories,
  },
  {
    name: 'results-begin-a-turn',
    file: attaching,
    find: 'return message.fromUser && message.results.length === 0',
    replace: 'return message.fromUser',
    tests: model,
  },
  {
    name: 'side-requests-move-the-turn',
    file: attaching,
    find: 'const turn = side === undefined ?',
    replace: 'const turn = side !== null ?',
    tests: histories,
  },
  {
    name: 'agents-have-turns-of-their-own',
    file: attaching,
    find: 'if (started !== undefined && started.turn !== null) return started.turn',
    replace: 'void started',
    tests: [...histories, ...stories],
  },
  {
    name: 'a-second-conversation-shares-the-turn',
    file: attaching,
    find: 'known.place.turn !== null && !isSecond) return',
    replace: 'known.place.turn !== null) return',
    tests: histories,
  },

  // Words carry their label.
  {
    name: 'words-of-the-person-are-not-looked-up',
    file: admitting,
    find: 'const repeated = message.fromUser ?',
    replace: "const repeated = message.fromUser && message.text === '' ?",
    tests: histories,
  },
  {
    name: 'compaction-cleans',
    file: admitting,
    find: 'const repeated = message.fromUser ?',
    replace: "const repeated = message.fromUser && message.text === '' ?",
    tests: model,
  },
  {
    name: 'instructions-are-not-looked-up',
    file: admitting,
    find: "const repeated = message.role === 'system' ?",
    replace: "const repeated = message.role === 'system' && message.text === '' ?",
    tests: histories,
  },
  {
    name: 'notes-through-a-trusted-reader-are-clean',
    file: admitting,
    find: 'await labelOfResult(call, tools, () => result.text)',
    replace: "await labelOfResult(call, tools, () => '')",
    tests: histories,
  },
  {
    name: 'notes-through-a-server-are-clean',
    file: 'gateway/src/turns/deciding/admitting-tool-result.ts',
    find: "labelOfResult(call, [subjectOf(call.tool)], () => textsIn(read).join('\\n'))",
    replace: "labelOfResult(call, [subjectOf(call.tool)], () => '')",
    tests: stories,
  },
  {
    name: 'words-of-the-model-are-not-remembered',
    file: 'gateway/src/turns/answering/delivering.ts',
    find: '...message.calls.flatMap(({ args }) => textsIn(args))], call.presented',
    replace: '...textsIn(undefined)], call.presented',
    tests: histories,
  },
  {
    name: 'words-of-results-are-not-remembered',
    file: admitting,
    find: 'if (!isFreeLabel(call, added)) await rememberWords(',
    replace: 'if (isFreeLabel(call, added)) await rememberWords(',
    tests: stories,
  },
  {
    name: 'words-of-the-person-count-as-restricted',
    file: `${words}/unrestricted-words.ts`,
    find: "if (message.role === 'assistant' || ",
    replace: 'if (message.fromUser || ',
    tests: histories,
  },
  {
    name: 'the-gateways-own-words-are-remembered',
    file: 'gateway/src/turns/answering/delivering.ts',
    find: 'message.text.endsWith(message.ours) ?',
    replace: "message.ours === '\\0' ?",
    tests: stories,
  },
  {
    name: 'refusals-are-read-as-results',
    file: admitting,
    find: 'callKey, digest))) !== undefined) return',
    replace: 'callKey, digest))) === null) return',
    tests: stories,
  },
  {
    name: 'any-words-pass-for-a-refusal',
    file: admitting,
    find: 'return `n|${principal}|${callKey}|${digest}`',
    replace: 'return `n|${principal}|${callKey}|${digest.slice(0, 0)}`',
    tests: stories,
  },
  {
    name: 'shorter-passages-count',
    file: `${words}/shingles.ts`,
    find: 'const wordsInRun = 7',
    replace: 'const wordsInRun = 3',
    tests: [...histories, ...index],
  },
]
