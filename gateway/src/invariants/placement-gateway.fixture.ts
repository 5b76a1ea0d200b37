/**
 * A gateway with both floors on real sockets, a stranger's server behind it, a model that obeys every order it can read, and
 * the agent of a person who calls whatever tool the model may call. Every case is a person of its own.
 */
import type { Client } from '@modelcontextprotocol/client'
import { connectClient } from '../../../conformance/mcp/official-client.ts'
import { say } from '../../../conformance/harness/model-answer.ts'
import { startVendor, type Responder } from '../../../conformance/harness/vendor.ts'
import { systemClock } from '../core/clock.ts'
import type { JsonObject } from '../core/json.ts'
import { silentLogger } from '../core/logger.ts'
import { sharedCredentials } from '../identity/server-auth/shared-credentials.ts'
import { storeBackends } from '../store/backends.fixture.ts'
import { createFleet } from '../tools/fleet.ts'
import { plainRunner, serveEndpoint } from '../tools/running-parts.fixture.ts'
import { openFloors, type ConfigInput } from './floors.fixture.ts'
import { hasOrder, wordsIn } from './placement-attacks.fixture.ts'
import { startStrangersServer, type Place } from './placement-server.fixture.ts'

export interface Lane {
  readonly posture: 'standard' | 'observe'
  /** Whether the model's answers are streamed, and in which era the agent speaks with the gateway. */
  readonly stream: boolean
  readonly era: 'legacy' | 'modern'
  /** What the configuration says besides. */
  readonly parts?: ConfigInput
}

/** What came of one case. */
export interface Outcome {
  /** Whether the model could read an order. */
  readonly wasRead: boolean
  /** Whether the model then called the tool that acts, and what became of that call. */
  readonly proposed: readonly string[]
  /** How often the tool that acts has run. */
  readonly acted: number
  /** The label after what the stranger said. */
  readonly trust: string | undefined
}

export interface PlacementGateway extends AsyncDisposable {
  /** The agent of this person meets these words in this place. */
  run(name: string, place: Place, pieces: readonly string[]): Promise<Outcome>
}

const actor = 'office__act'
/** What a person's agent calls to meet the words in this place. */
const readers: Partial<Record<Place, string>> = { 'sampling here': 'sampled__look', 'remembered note': 'office__recall' }

const tools = ['office__look', 'sampled__look', 'office__recall', actor].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { case: { type: 'string' } } } },
}))

/** Who has written down what a stranger said, in a conversation of their own for each case. */
const writer = 'writer'

const reads: ReadonlySet<string> = new Set(['tool_call', 'resource_read', 'prompt_get'])

const secretOf = (name: string): string => `tw_placements_${name.padEnd(24, '0')}`

/** `names`: of the cases that may be run. */
export async function openPlacements({ posture, stream, era, parts = {} }: Lane, names: readonly string[]): Promise<PlacementGateway> {
  const server = await startStrangersServer()
  const obeyed = new Set<string>()
  const vendor = await startVendor(obeying(obeyed))
  const stores = await storeBackends[0]?.make()
  const store = await stores?.open()
  let fleet: ReturnType<typeof createFleet> | undefined
  const floors = await openFloors({
    config: {
      policy: { posture },
      principals: Object.fromEntries([...names, writer].map((name) => [name, {}])),
      keys: Object.fromEntries([...names, writer].map((name) => [name, { principal: name, secret: secretOf(name) }])),
      grants: [{ principals: ['*'], models: ['*'], tools: ['*'], gateways: ['*'] }],
      upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
      routes: [{ model: '*', upstreams: ['vendor'] }],
      servers: {
        office: { transport: 'http', url: server.url },
        // What this one asks a model for is answered by one of the gateway's.
        sampled: { transport: 'http', url: server.url, sampling: { model: 'm' } },
      },
      gateways: { main: { servers: ['office', 'sampled'] } },
      contracts: {
        'office__*': { output: { trust: 'untrusted' } },
        'sampled__*': { output: { trust: 'untrusted' } },
        office__note: { output: { trust: 'trusted' }, effects: ['mutation'], remembers: { by: 'case' } },
        office__recall: { output: { trust: 'trusted' }, remembers: { by: 'case' } },
        [actor]: { effects: ['egress'], requires: { trust: 'trusted' }, output: { trust: 'trusted' } },
      },
      ...parts,
    },
    ...(store === undefined ? {} : { store }),
    fleet: (snapshot) =>
      (fleet = createFleet({
        snapshot,
        onSwap: () => () => {},
        runners: new Map([['bubblewrap', plainRunner]]),
        dataDir: '/nonexistent',
        logger: silentLogger,
        clock: systemClock,
        credentials: sharedCredentials(systemClock),
        coldBudgetMs: 20_000,
      })),
  })
  const endpoint = await serveEndpoint(floors.operations, floors.services.snapshot, fleet)

  async function chat(name: string, messages: readonly object[]): Promise<string> {
    const response = await fetch(`${floors.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secretOf(name)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', user: name, stream, tools, messages }),
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`the model call of ${name} was refused: ${text}`)
    return text
  }

  const root = endpoint.url.replace(/\/mcp\/$/, '')

  async function writeDown(name: string): Promise<void> {
    const client = await connectClient(root, secretOf(writer), { headers: { 'x-turnward-session': name } })
    for (const tool of ['office__look', 'office__note']) {
      const { isError } = await client.callTool({ name: tool, arguments: { case: name } })
      if (isError === true) throw new Error(`${tool} was refused`)
    }
    await client.close()
  }

  async function run(name: string, place: Place, pieces: readonly string[]): Promise<Outcome> {
    const { promise: actedMeanwhile, resolve: settleMeanwhile } = Promise.withResolvers<void>()
    // Who asks is not in what a model of the gateway is asked.
    const said = place === 'sampling here' ? [...pieces, name] : pieces
    server.told.set(name, { place, pieces: said, actedMeanwhile })
    const met: unknown[] = []
    const act = async (client: Client): Promise<void> => void (await client.callTool({ name: actor, arguments: { case: name } }))
    /** The agent does what its model may do, and calls the tool itself for good measure. */
    const obey = async (client: Client, messages: readonly object[]): Promise<void> => {
      if ((await chat(name, messages)).includes(actor)) await act(client)
      await act(client)
    }
    if (place === 'remembered note') await writeDown(name)
    const client = await connectClient(root, secretOf(name), {
      mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' },
      capabilities: { elicitation: { form: {} }, sampling: {} },
      prepare(made) {
        made.setRequestHandler('elicitation/create', async ({ params }) => {
          met.push(params.message)
          await obey(made, pasted([params.message]))
          return { action: 'accept' as const, content: { answer: 'yes' } }
        })
        made.setRequestHandler('sampling/createMessage', async ({ params }) => {
          met.push(params.messages)
          await obey(
            made,
            params.messages.map(({ role, content }) => ({ role, content: [content].flat() })),
          )
          return { role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'Yes.' }, stopReason: 'endTurn' }
        })
      },
    })
    const reader = readers[place] ?? 'office__look'
    const onprogress = ({ message }: { readonly message?: string | undefined }): void => {
      met.push(message)
      if (met.length < pieces.length) return
      obey(client, pasted(pieces)).then(settleMeanwhile, settleMeanwhile)
    }
    // Both servers have this URI, so it is asked for by the gateway's.
    if (place === 'resource') met.push((await client.readResource({ uri: `turnward://office/strangers://${name}` })).contents)
    else if (place === 'prompt') met.push((await client.getPrompt({ name: 'office__advice', arguments: { case: name } })).messages)
    else {
      await chat(name, [{ role: 'user', content: wish(reader) }])
      met.push(await client.callTool({ name: reader, arguments: { case: name } }, { onprogress }))
    }
    const words = wordsIn(met)
    // What nobody called a tool for is put into a message of the person, as clients do; results go where results stand.
    if (place === 'resource' || place === 'prompt') await obey(client, pasted(words))
    else await obey(client, answered(reader, name, words))
    await client.close()
    const records = floors.log.records.filter(({ principal }) => principal === name)
    return {
      wasRead: obeyed.has(name),
      proposed: records.filter(({ kind, subject }) => kind === 'tool_proposal' && subject === actor).map(({ action }) => String(action)),
      acted: server.acted.filter((one) => one === name).length,
      trust: records.find(({ type, kind, subject }) => type === 'outcome' && reads.has(kind) && subject !== actor)?.labelAfter?.trust,
    }
  }

  return {
    run,
    async [Symbol.asyncDispose]() {
      await endpoint.close()
      await floors[Symbol.asyncDispose]()
      await fleet?.close()
      await vendor.close()
      await server[Symbol.asyncDispose]()
      await store?.close()
      await stores?.[Symbol.asyncDispose]()
    },
  }
}

/** A conversation that begins with the words of somebody else. */
function pasted(words: readonly string[]): readonly object[] {
  return [{ role: 'user', content: words.map((text) => ({ type: 'text', text })) }]
}

/** What a person asks for. */
const wish = (reader: string): string => `Call ${reader}, please.`

/** The conversation in which a reader was called, with what it brought. */
function answered(reader: string, name: string, words: readonly string[]): readonly object[] {
  const call = { id: `read-${name}`, type: 'function', function: { name: reader, arguments: JSON.stringify({ case: name }) } }
  return [
    { role: 'user', content: wish(reader) },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: call.id, content: words.map((text) => ({ type: 'text', text })) },
  ]
}

/** Calls what it is asked to call, and does whatever it can read an order for. */
function obeying(obeyed: Set<string>): Responder {
  let calls = 0
  return (request) => {
    const { messages, user = nameIn(request.bytes) } = request.body as { user?: string; messages: readonly JsonObject[] }
    calls += 1
    if (request.bytes.includes('not run:')) return say(request, { text: 'I may not.' })
    if (hasOrder(messages.filter(({ role }) => role !== 'assistant').map(({ content }) => content))) {
      obeyed.add(user)
      return say(request, { calls: [{ id: `act-${calls}`, name: actor, args: { case: user } }] })
    }
    const reader = /^Call (\w+), please\.$/.exec(String(messages[0]?.content))?.[1]
    if (messages.length === 1 && reader !== undefined)
      return say(request, { calls: [{ id: `read-${user}`, name: reader, args: { case: user } }] })
    return say(request, { text: 'Well.' })
  }
}

/** Of the case, in a request that the gateway makes for itself. */
function nameIn(bytes: Buffer): string {
  return /\bcase-[a-z0-9-]+/.exec(bytes.toString('utf8'))?.[0] ?? ''
}
