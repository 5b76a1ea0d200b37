/** MCP servers and REST APIs of the configuration: how they are and why, what they wrote, and accounts of people there. */
import type { restartSchema, serverDetailSchema, serversSchema } from '@turnward/contract/api/servers'
import { useMutation } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Dialog } from '../dialog.tsx'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'

type Server = z.output<typeof serversSchema>['servers'][number]
type ServerDetail = z.output<typeof serverDetailSchema>
type Restart = z.output<typeof restartSchema>

const servers = { queryKey: ['servers'], queryFn: () => read<z.output<typeof serversSchema>>('/api/servers') }

const stateWords: Readonly<Record<Server['state'], string>> = {
  ready: 'connected',
  asleep: 'asleep until it is called',
  starting: 'starting',
  failed: 'down',
  idle: 'not started',
}

const transportWords = { stdio: 'started here', http: 'remote', openapi: 'REST API' } as const

function State({ state, why }: Pick<Server, 'state' | 'why'>) {
  const isUp = state === 'ready' || state === 'asleep'
  return (
    <>
      <span className={`chip ${isUp ? 'good' : 'bad'}`}>{stateWords[state]}</span>
      {why === null ? null : <p>{why}</p>}
    </>
  )
}

export function ServersPage() {
  return (
    <Page title="Servers">
      <Asked options={servers}>
        {({ servers: all }) => (
          <Table
            caption={summaryOf(all)}
            columns={['Server', 'State', 'Since', 'Kind', 'Tools', 'Gateways']}
            rows={all.map((one) => ({
              key: one.server,
              cells: [
                <Link key="to" to="/servers/$name" params={{ name: one.server }}>
                  {one.server}
                </Link>,
                <State key="state" {...one} />,
                <Time key="since" at={one.since} />,
                transportWords[one.transport],
                <div key="tools">
                  {one.tools}
                  {one.held === 0 ? null : (
                    <p>
                      <Link to="/tools" search={{ server: one.server, pin: 'held' }}>
                        Review {one.held}
                      </Link>
                    </p>
                  )}
                </div>,
                one.gateways.length === 0 ? 'none' : one.gateways.join(', '),
              ],
            }))}
            empty={
              <p>
                No MCP server is configured.{' '}
                <Link to="/configuration/$kind" params={{ kind: 'servers' }}>
                  Make one
                </Link>
              </p>
            }
          />
        )}
      </Asked>
    </Page>
  )
}

function summaryOf(all: readonly Server[]): string {
  const down = all.filter(({ state }) => state === 'failed' || state === 'idle').length
  const held = all.reduce((sum, one) => sum + one.held, 0)
  return [
    countText(all.length, 'server'),
    down === 0 ? 'none is down' : `${down} ${down === 1 ? 'is' : 'are'} down`,
    ...(held === 0 ? [] : [`${countText(held, 'definition')} of tools to review`]),
  ].join(', ')
}

export function ServerPage() {
  const { name } = useParams({ from: '/servers/$name' })
  const path = `/api/servers/${encodeURIComponent(name)}`
  return (
    <Page title={`Server ${name}`}>
      <p>
        <Link to="/servers">All servers</Link>
      </p>
      <Asked options={{ queryKey: ['servers', name], queryFn: () => read<ServerDetail>(path) }}>
        {(server) => <OneServer server={server} path={path} />}
      </Asked>
    </Page>
  )
}

function OneServer({ server, path }: { readonly server: ServerDetail; readonly path: string }) {
  const {
    server: name,
    state,
    why,
    since,
    restarts,
    protocol,
    tools,
    held,
    resources,
    prompts,
    gateways,
    pin,
    auth,
    place,
    url,
    replica,
  } = server
  return (
    <>
      <dl>
        <dt>State</dt>
        <dd>
          <State state={state} why={why} />
        </dd>
        <dt>Since</dt>
        <dd>
          <Time at={since} />
          {restarts === 0 ? '' : `, opened again ${restarts === 1 ? 'once' : `${restarts} times`}`}
        </dd>
        <dt>Kind</dt>
        <dd>
          {transportWords[server.transport]}
          {url === null ? '' : `: ${url}`}
        </dd>
        <dt>Protocol</dt>
        <dd>{protocol ?? (server.transport === 'openapi' ? 'HTTP' : 'not known yet')}</dd>
        <dt>Offers</dt>
        <dd>
          <Link to="/tools" search={{ server: name }}>
            {countText(tools, 'tool')}
          </Link>
          , {countText(resources, 'resource')}, {countText(prompts, 'prompt')}
        </dd>
        <dt>Definitions</dt>
        <dd>
          {pinWords[pin]}
          {held === 0 ? null : (
            <>
              {'; '}
              <Link to="/tools" search={{ server: name, pin: 'held' }}>
                review {countText(held, 'tool')}
              </Link>
            </>
          )}
        </dd>
        <dt>Shown by</dt>
        <dd>{gateways.length === 0 ? 'no gateway' : gateways.join(', ')}</dd>
        <dt>Authenticates</dt>
        <dd>{auth === 'none' ? 'not at all' : `by ${auth.replaceAll('_', ' ')}`}</dd>
        {replica === null ? null : (
          <>
            <dt>Runs at</dt>
            <dd>replica {replica}</dd>
          </>
        )}
        <dt>Configured</dt>
        <dd>
          <Link to="/configuration/$kind/$name" params={{ kind: 'servers', name }}>
            {place === null ? 'its entry' : `${place.source}:${place.line}`}
          </Link>
        </dd>
      </dl>
      <Restarting name={name} path={path} />
      <Account server={server} />
      {server.sandbox === null ? null : <Sandbox sandbox={server.sandbox} />}
      {server.transport === 'stdio' ? <Lines lines={server.lines} /> : null}
    </>
  )
}

const pinWords = {
  review: 'held until somebody reviews them when they change',
  warn: 'used when they change, with a warning',
  off: 'not compared',
} as const

function Restarting({ name, path }: { readonly name: string; readonly path: string }) {
  const who = useMe()
  const readAgain = useReadAgain()
  const [isAsked, setAsked] = useState(false)
  const why = who.data?.roles.includes('operator') === true ? undefined : 'Restarting a server needs the role operator.'
  const restarting = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      setAsked(false)
      const outcome = await change<Restart>(who.data, 'POST', `${path}/restart`)
      await readAgain()
      return outcome
    },
  })
  const isOff = why !== undefined || restarting.isPending
  return (
    <>
      <p>
        <button type="button" aria-disabled={isOff} aria-describedby="why-not" onClick={() => (isOff ? undefined : setAsked(true))}>
          {restarting.isPending ? 'Restarting…' : 'Restart'}
        </button>
      </p>
      {why === undefined ? null : <p id="why-not">{why}</p>}
      <div role="status">
        {restarting.data?.processes.map(({ process, outcome }) => (
          <p key={process} className={outcome === 'ready' ? 'good' : undefined}>
            {process}: {outcome ?? 'it has not started yet'}
          </p>
        ))}
      </div>
      {restarting.error === null ? null : <Refused error={restarting.error} />}
      {isAsked ? (
        <Dialog label="Restart a server" onClose={() => setAsked(false)}>
          <h2>Restart {name}?</h2>
          <p>It ends at every process of this gateway, with the calls that run in it: they fail, and are not repeated.</p>
          <p className="buttons">
            <button type="button" className="primary" onClick={() => restarting.mutate()}>
              Restart it
            </button>
            <button type="button" onClick={() => setAsked(false)}>
              Leave it
            </button>
          </p>
        </Dialog>
      ) : null}
    </>
  )
}

/** What each person brings to the server: the steps to connect it, where that is missing. */
function Account({ server: { server, auth, link, linked } }: { readonly server: ServerDetail }) {
  if (link === null) return null
  const what = auth === 'user' ? 'account' : 'secret'
  return (
    <>
      <h2>Your {what} there</h2>
      {link.state === 'connected' ? (
        <p className="good">✓ Connected: calls of yours use it.</p>
      ) : (
        <>
          <p>Calls of yours fail until you connect your own {what}.</p>
          <ol>
            <li>Open the page where it is connected, as yourself.</li>
            <li>
              {what === 'account'
                ? `Sign in to ${server} there, and agree to what it asks.`
                : 'Paste the secret there. It is sealed, and shown to nobody.'}
            </li>
            <li>Come back and refresh this page: it says “connected”.</li>
          </ol>
        </>
      )}
      <p>
        {link.url === null ? (
          'A workload cannot open pages: its secret is stored with `turnward links set`.'
        ) : (
          <a className={link.state === 'connected' ? 'button quiet' : 'button'} href={link.url}>
            {link.state === 'connected' ? 'Change or remove it' : `Connect your ${what}`}
          </a>
        )}
      </p>
      {linked === null ? null : <p>{linked === 1 ? '1 person has' : `${linked} people have`} one stored here.</p>}
    </>
  )
}

function Sandbox({
  sandbox: { runner, isolates, is_bounded: isBounded, per, network, mounts },
}: {
  readonly sandbox: NonNullable<ServerDetail['sandbox']>
}) {
  return (
    <>
      <h2>Sandbox</h2>
      {isolates ? null : <p className="refused">It runs without a sandbox: it can do what the gateway can.</p>}
      {isBounded ? null : <p className="refused">Its memory and processes are not bounded as a whole.</p>}
      <dl>
        <dt>Runs in</dt>
        <dd>
          {runner}, one for each {per}
        </dd>
        <dt>Network</dt>
        <dd>{network.length === 0 ? 'none' : network.join(', ')}</dd>
        <dt>Files</dt>
        <dd>{['its own code', ...mounts.map(({ path, write }) => `${path}${write ? ' (may write)' : ' (read only)'}`)].join(', ')}</dd>
      </dl>
    </>
  )
}

function Lines({ lines }: { readonly lines: ServerDetail['lines'] }) {
  return (
    <>
      <h2>What it wrote last</h2>
      {lines.length === 0 ? (
        <p>Nothing is kept here: it has not been started at the process that answered.</p>
      ) : (
        <figure className="snippet">
          <figcaption>The last of its stderr. The server wrote it: nobody vouches for it. In brackets: what the gateway says.</figcaption>
          <pre tabIndex={0} aria-label="Last lines of stderr">
            {lines.map(({ at, text, of }) => `${new Date(at).toISOString()}  ${of === 'gateway' ? `[${text}]` : text}`).join('\n')}
          </pre>
        </figure>
      )}
    </>
  )
}
