/**
 * What deciding a call costs in a long conversation: every value of it is looked for in all that was read, and then it is ruled on.
 * In this process, the engine and the search as they are, in CPU of this thread.
 */
import { configSchema } from '@turnward/contract/config'
import { compilePolicy } from '../../gateway/src/policy/compile-policy.ts'
import { decide } from '../../gateway/src/policy/decide.ts'
import { noEvidence } from '../../gateway/src/policy/evidence.ts'
import type { Policy } from '../../gateway/src/policy/types.ts'
import type { ProposingCall } from '../../gateway/src/turns/call.ts'
import { traceProposal } from '../../gateway/src/turns/provenance/tracing-values.ts'
import { longConversation } from '../../gateway/src/turns/provenance/long-conversation.fixture.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { median } from '../statistics.ts'

const historyBytes = 100 * 1024
const results = 40
/** Conversations of a round. */
const fresh = 50
/** A payment whose account and amount the person wrote, with words of what was read. */
const args = { to: 'CH9300762011623852957', amount: 1250, note: 'Invoice 17, as the page says' }
const person = 'Read the invoices and pay 1,250.00 to CH93 0076 2011 6238 5295 7.'
/** One that stands nowhere, so that all of it is looked through, and it is refused. */
const astray = { ...args, to: 'GB29NWBK60161331926819' }

export const deciding: Scenario = {
  name: 'deciding',
  async run({ quick }) {
    const policy = policyOf()
    // Nobody measures what has not been compiled yet.
    await costOf(60, (at) => ruled(policy, conversation(policy, at), at % 2 === 0 ? args : astray))
    const rounds = Array.from({ length: quick ? 3 : 7 }, (_, round) => round)
    const [cold, warm, found]: [number[], number[], number[]] = [[], [], []]
    for (const round of rounds) {
      const calls = Array.from({ length: fresh }, (_, at) => conversation(policy, 1000 * (round + 1) + at))
      const of = (at: number): ProposingCall => calls[at % fresh] as ProposingCall
      cold.push(await costOf(fresh, (at) => ruled(policy, of(at), astray)))
      warm.push(await costOf(10 * fresh, (at) => ruled(policy, of(at), astray)))
      found.push(await costOf(100 * fresh, (at) => ruled(policy, of(at), args)))
    }
    const detail = `median of ${rounds.length} rounds, ${results} results`
    return [
      atMost('deciding in 100 KB of history: warm', median(warm), 400, 'us', `a value that stands nowhere; ${detail}`),
      atMost('deciding in 100 KB of history: cold', median(cold) / 1000, 3, 'ms', `the same, in a conversation not seen before; ${detail}`),
      told('deciding in 100 KB of history: in the words of the person', median(found), 'us', detail),
    ]
  },
}

function conversation(policy: Policy, seed: number): ProposingCall {
  return longConversation({ policy, person, results, bytes: historyBytes, seed, reader: 'web__get' })
}

async function ruled(policy: Policy, call: ProposingCall, given: typeof args): Promise<void> {
  const subject = { name: 'bank__pay', server: 'bank', hints: undefined }
  const values = await traceProposal(call, [subject], [given])
  const { action } = decide(
    policy,
    call.session.policyState,
    { tool: subject, args: given, caller: { principal: call.caller.principal, actor: null }, gateway: null, callKey: 'call-1' },
    { ...noEvidence, values },
  )
  if (action !== (given === args ? 'release' : 'refuse')) throw new Error(`the call was ruled ${action}`)
}

/** Microseconds of this thread for each run. Its clock ticks slowly, so many are counted together. */
async function costOf(times: number, run: (at: number) => Promise<void>): Promise<number> {
  const before = process.threadCpuUsage()
  for (let at = 0; at < times; at += 1) await run(at)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / times
}

function policyOf(): Policy {
  const config = configSchema.parse({
    principals: { alice: {} },
    grants: [{ principals: ['*'], tools: ['*'] }],
    contracts: {
      web__get: { output: { trust: 'untrusted' } },
      bank__pay: { effects: ['mutation'], args: { to: 'destination', amount: 'authority', note: 'content' } },
    },
  })
  return compilePolicy(config).policy
}
