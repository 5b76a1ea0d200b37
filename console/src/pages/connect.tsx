/** How a client is led to this gateway: what `turnward connect` writes, for whoever puts it in by hand. */
import type { connectSchema } from '@turnward/contract/api/connect'
import { connectedClientIds, connectedClients, isConnectedClientId, modelFor } from '@turnward/contract/connect/clients'
import { exportsOf, type ConnectedClient, type GatewayPlace } from '@turnward/contract/connect/connected-client'
import { fileOf } from '@turnward/contract/connect/entry'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { FirstRequest } from '../connect/first-request.tsx'
import { Asked, Page, useMe } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'

type Here = z.output<typeof connectSchema>

const here = { queryKey: ['connect'], queryFn: () => read<Here>('/api/connect') }

/** What stands in the address of the page. */
export interface Wanted {
  readonly gateway?: string
  readonly model?: string
}

export function wantedIn({ gateway, model }: Record<string, unknown>): Wanted {
  return { ...(typeof gateway === 'string' && { gateway }), ...(typeof model === 'string' && { model }) }
}

export function ClientsPage() {
  return (
    <Page title="Connect a client">
      <ul className="cards">
        {connectedClientIds.map((client) => (
          <li key={client} data-row>
            <Link to="/connect/$client" params={{ client }} search={{}}>
              {connectedClients[client].title}
            </Link>
            <p>{connectedClients[client].kind}</p>
          </li>
        ))}
      </ul>
    </Page>
  )
}

export function ClientPage() {
  const { client } = useParams({ from: '/connect/$client' })
  if (!isConnectedClientId(client))
    return (
      <Page title="No such client">
        <Link to="/connect">All clients</Link>
      </Page>
    )
  const known = connectedClients[client]
  return (
    <Page title={`Connect ${known.title}`}>
      <Asked options={here}>{(found) => <Connecting id={client} client={known} here={found} />}</Asked>
    </Page>
  )
}

interface ConnectingProps {
  readonly id: string
  readonly client: ConnectedClient
  readonly here: Here
}

function Connecting({ id, client, here: { url, gateways, models } }: ConnectingProps) {
  const wanted = useSearch({ from: '/connect/$client' })
  const navigate = useNavigate({ from: '/connect/$client' })
  const want = (change: Wanted): void => void navigate({ search: { ...wanted, ...change }, replace: true })
  const mcp = wanted.gateway ?? (gateways.includes('main') ? 'main' : gateways[0])
  const place = { url: reachable(url), mcp, model: wanted.model ?? modelFor(client, models) }
  return (
    <>
      <form onSubmit={(event) => event.preventDefault()}>
        <label>
          Model
          <input list="models" value={place.model} onChange={({ target }) => want({ model: target.value })} />
        </label>
        <datalist id="models">
          {models.map((model) => (
            <option key={model} value={model} />
          ))}
        </datalist>
        {client.files.length === 0 ? null : (
          <label>
            MCP gateway
            <select value={mcp ?? ''} onChange={({ target }) => want({ gateway: target.value })}>
              {gateways.length === 0 ? <option value="">none is granted to you</option> : null}
              {gateways.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </form>
      <Steps id={id} client={client} place={place} />
    </>
  )
}

function Steps({ id, client, place }: { readonly id: string; readonly client: ConnectedClient; readonly place: GatewayPlace }) {
  const { data: me } = useMe()
  const start = client.start(place)
  const files = client.files.map((file) => ({ ...file, written: file.entries(place) })).filter(({ written }) => written.length > 0)
  const gateway = place.mcp === undefined ? '' : ` --gateway ${place.mcp}`
  return (
    <>
      <h2>1. A key</h2>
      <p>
        Whoever administers the gateway makes one, once for each person and agent, <Link to="/keys">here</Link> or where it runs. It is
        shown once.
      </p>
      <Snippet name="On the gateway’s machine" text={`turnward keys create --principal ${me?.id ?? 'NAME'} --consumer ${id}`} />
      <h2>2. Where it is led</h2>
      {files.length === 0 ? null : (
        <>
          <p>By the command line, which shows what changes and can take it back:</p>
          <Snippet name="On your machine" text={`turnward connect ${id} --url ${place.url}${gateway} --model ${place.model}`} />
          <p>Or by hand:</p>
        </>
      )}
      {files.map(({ own, project, format, written }) => (
        <Snippet key={own} name={`${own}, or ${project} in a project`} text={fileOf(format, written)} />
      ))}
      {client.code(place).map(({ language, text }) => (
        <Snippet key={language} name={{ js: 'JavaScript', py: 'Python', sh: 'Shell' }[language]} text={text} />
      ))}
      <h2>3. Start it</h2>
      <Snippet
        name="In the shell it is started from"
        text={[exportsOf(client.variables(place)), ...(start === undefined ? [] : [start])].join('\n')}
      />
      {client.notes(place).map((note) => (
        <p key={note}>{note}</p>
      ))}
      {me === undefined ? null : <FirstRequest person={me.id} />}
    </>
  )
}

/** The configuration may know no address but that of its own machine; then the one this page came from is the better. */
function reachable(url: string): string {
  const isLoopback = (host: string): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(host)
  return isLoopback(new URL(url).hostname) && !isLoopback(location.hostname) ? location.origin : url
}
