/**
 * Some models number their calls anew in every message (`call_0`, `call_1`). What was refused under a number must come back
 * in its own conversation, once, and in no other.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, type ProposedCall } from '../harness/model-answer.ts'
import { historyOf, requireCoherent } from '../harness/model-history.ts'
import { createAgent } from '../harness/sdk-agents.ts'

const tools = ['web_fetch', 'get_time', 'send_mail']
const call = (id: string, name: string, args: object = {}): ProposedCall => ({ id, name, args })

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned(withParts({ policy: { tools: { hide: 'never' } } }))
})
afterAll(() => governed.close())

describe.each(['openai', 'anthropic'] as const)('calls numbered anew, with the %s SDK', (dialect) => {
  const model = dialect === 'openai' ? 'gpt-test' : 'claude-test'
  const agent = () =>
    createAgent(dialect, {
      url: governed.url,
      key: secrets.alice,
      model,
      stream: false,
      tools,
      execute: (name) => `result of ${name}`,
      headers: { 'x-turnward-session': randomUUID() },
    })
  const last = () => governed.vendors[dialect].last()

  /** Answers each request with the next message of the list, by how many assistant messages the model has been shown since. */
  function script(rounds: readonly (readonly ProposedCall[])[]): void {
    let next = 0
    governed.respond((request) => {
      const calls = rounds[next]
      next += 1
      return say(request, calls === undefined ? { text: 'Done.' } : { text: `Step ${next}.`, calls })
    })
  }

  const callsOf = () => historyOf(last()).flatMap((message) => message.calls.map(({ id, name }) => `${id} ${name}`))

  test('a refused call does not appear in another session of the same principal', async () => {
    script([[call('call_0', 'web_fetch')], [call('call_1', 'get_time'), call('call_2', 'send_mail', { to: 'first-session@example.org' })]])
    await agent().ask('First session')
    expect(callsOf()).toEqual(['call_0 web_fetch', 'call_1 get_time', 'call_2 send_mail'])

    script([[call('call_1', 'get_time')]])
    await agent().ask('Second session')
    expect(last().bytes.toString('utf8')).not.toContain('first-session@example.org')
    expect(callsOf()).toEqual(['call_1 get_time'])
  })

  test('a refused call comes back at its own message only', async () => {
    script([[call('call_0', 'web_fetch')], [call('call_0', 'get_time'), call('call_1', 'send_mail')], [call('call_0', 'get_time')]])
    await agent().ask('One session')
    const calls = historyOf(last())
      .filter(({ role }) => role === 'assistant')
      .map((message) => message.calls.map(({ name }) => name))
    expect(calls).toEqual([['web_fetch'], ['get_time', 'send_mail'], ['get_time']])
  })

  test('refused rounds come back before their own message only', async () => {
    script([[call('call_0', 'web_fetch')], [call('call_0', 'send_mail')], [call('call_0', 'get_time')], [call('call_0', 'get_time')]])
    await agent().ask('Rounds')
    const calls = historyOf(last())
      .filter(({ role }) => role === 'assistant')
      .map((message) => message.calls.map(({ name }) => name))
    expect(calls).toEqual([['web_fetch'], ['send_mail'], ['get_time'], ['get_time']])
  })

  test('the same short answer in another session brings no refused round with it', async () => {
    script([[call('call_a', 'web_fetch')], [call('call_b', 'send_mail', { to: 'first-session@example.org' })]])
    const first = agent()
    await first.ask('Spliced')
    await first.ask('Thanks.')
    expect(last().bytes.toString('utf8')).toContain('first-session@example.org')
    requireCoherent(last())
    // The client of another session was told the very same words, by an answer nothing was refused in.
    const words = 'Step 2.\nDone.'
    governed.answer({ text: words })
    const second = agent()
    await second.ask('Plain')
    await second.ask('Thanks.')
    expect(last().bytes.toString('utf8')).not.toContain('first-session@example.org')
  })
})

test('the same words in an untrusted session do not taint the session that was told them too', async () => {
  const agent = (name: string) =>
    createAgent('openai', {
      url: governed.url,
      key: secrets.alice,
      model: 'gpt-test',
      stream: false,
      tools,
      execute: () => 'a page',
      headers: { 'x-turnward-session': name },
    })
  const [clean, tainted] = [agent(randomUUID()), agent(randomUUID())]
  governed.answer({ text: 'Very well.' })
  await clean.ask('Say it.')
  governed.respond((request) =>
    say(request, historyOf(request).length === 1 ? { calls: [call('call_page', 'web_fetch')] } : { text: 'Very well.' }),
  )
  await tainted.ask('Read and say it.')
  governed.respond((request) =>
    say(
      request,
      historyOf(request).at(-1)?.role === 'user' && historyOf(request).length === 3
        ? { calls: [call('call_send', 'send_mail')] }
        : { text: 'Sent.' },
    ),
  )
  await clean.ask('Now send mail.')
  expect(clean.calls.map(({ name }) => name)).toEqual(['send_mail'])
})
