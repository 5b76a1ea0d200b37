/** `/api/tools`: what servers offer, who describes it, accepting a definition as it was shown, and trying a call. */
import {
  acceptedSchema,
  acceptRequestSchema,
  toolDetailSchema,
  toolsQuerySchema,
  toolsSchema,
  triedSchema,
  tryRequestSchema,
} from '@turnward/contract/api/tools'
import { actRecorder } from '../../admin/administration-record.ts'
import { apiRoute, type ApiRoute } from '../../admin/api-route.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Services } from '../../turns/services.ts'
import { type KnownTool, knownTools, mentions, placeOf, shownTool, toolDetail } from './known-tools.ts'
import { UseOnRecord } from './recorded-use.ts'
import { tryTool } from './trying-tool.ts'

const isHeld = (pin: KnownTool['pin']): boolean => pin === 'new' || pin === 'changed'
const isOf = (pin: KnownTool['pin'], wanted: KnownTool['pin'] | 'held'): boolean => (wanted === 'held' ? isHeld(pin) : pin === wanted)

export function toolRoutes(services: Services): readonly ApiRoute[] {
  const { snapshot, store, fleet, clock, reading } = services
  const recordAct = actRecorder(services)
  const use = new UseOnRecord(reading, clock)
  const tag = 'Tools'
  const all = async (): Promise<readonly KnownTool[]> =>
    knownTools(snapshot(), fleet, await store.pins.held(), await store.pins.approvals())
  /** By its server and the name its server gives it, or the name that policy knows it by. */
  const one = async ({ server = '', tool = '' }: Readonly<Record<string, string>>): Promise<KnownTool> => {
    const ofServer = (await all()).filter((known) => known.server === server)
    const found = ofServer.find((known) => known.tool === tool) ?? ofServer.find((known) => known.name === tool)
    if (found === undefined) throw new TurnwardError('tool.not_found', { subject: `${server}__${tool}`.slice(0, 128) })
    return found
  }
  return [
    apiRoute({
      path: '/api/tools',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'Tools of all servers: who describes each, whether its definition is accepted, how it was used lately',
      query: toolsQuerySchema,
      answer: toolsSchema,
      async run({ query: { server, q, coverage, pin, after, limit } }) {
        const now = snapshot()
        const words = q?.toLowerCase()
        const { uses, from, records } = await use.read()
        const found = (await all())
          .filter((known) => (server === undefined || known.server === server) && (words === undefined || mentions(known, words)))
          .map((known) => ({ at: placeOf(known), tool: shownTool(now, known, uses.get(known.name)) }))
          .filter(({ tool }) => (coverage === undefined || tool.coverage === coverage) && (pin === undefined || isOf(tool.pin, pin)))
        const rest = after === undefined ? found : found.filter(({ at }) => at > after)
        const page = rest.slice(0, limit)
        return {
          tools: page.map(({ tool }) => tool),
          total: found.length,
          next: rest.length > limit ? (page.at(-1)?.at ?? null) : null,
          counted: { from, records },
        }
      },
    }),
    apiRoute({
      path: '/api/tools/{server}/{tool}',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'One of them: its definition, its contract and where that is from, what changed since it was accepted',
      answer: toolDetailSchema,
      async run({ parameters }) {
        const known = await one(parameters)
        return toolDetail(snapshot(), known, (await use.read()).uses.get(known.name))
      },
    }),
    apiRoute({
      path: '/api/tools/{server}/{tool}/accept',
      method: 'POST',
      needs: { role: 'admin' },
      tag,
      summary: 'Accepts a definition that waits for a review, if it is still the one that was shown',
      body: acceptRequestSchema,
      answer: acceptedSchema,
      async run({ administrator, parameters, body: { digest, reason } }) {
        const { id: by } = administrator
        const known = await one(parameters)
        const { name, server, tool } = known
        const refused = (): TurnwardError => new TurnwardError('tool.not_held', { subject: name })
        if (!isHeld(known.pin) || known.digest !== digest) throw refused()
        const rules = ['role admin', `definition ${digest}`]
        const record = (reason: string): Promise<void> => recordAct(administrator, { act: 'tools.approve', subject: name, rules, reason })
        // Nothing is accepted that cannot be recorded.
        await record(`Accepts the ${known.pin} definition of ${name}: ${reason}`)
        if (!(await store.pins.approveHeld({ server, tool, digest }, clock.now(), by))) {
          await record(`The definition of ${name} was another one by then: nothing was accepted.`)
          throw refused()
        }
        return { name, digest, by }
      },
    }),
    apiRoute({
      path: '/api/tools/{server}/{tool}/try',
      method: 'POST',
      needs: 'person',
      tag,
      summary: 'Calls a tool as whoever asks, on the way of every call: policy, approvals, limits and log',
      body: tryRequestSchema,
      answer: triedSchema,
      async run(ask) {
        const { body, parameters } = ask
        // The body came out of JSON.
        return tryTool(services, ask, { tool: await one(parameters), args: body.arguments as JsonObject, gateway: body.gateway })
      },
    }),
  ]
}
