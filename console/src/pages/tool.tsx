/** One tool: what waits for a review, what is known of it, its definition, and trying it. */
import type { toolDetailSchema } from '@turnward/contract/api/tools'
import { Link, useParams } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, Time } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'
import { AcceptingDefinition } from '../tools/accepting-definition.tsx'
import { CoverageChip, PinChip } from '../tools/chips.tsx'
import { TryingTool } from '../tools/trying-tool.tsx'

type ToolDetail = z.output<typeof toolDetailSchema>

export function ToolPage() {
  const { server, tool } = useParams({ from: '/tools/$server/$tool' })
  const path = `/api/tools/${encodeURIComponent(server)}/${encodeURIComponent(tool)}`
  return (
    <Page title={`Tool ${tool}`}>
      <p>
        <Link to="/tools">All tools</Link>
      </p>
      <Asked options={{ queryKey: ['tools', server, tool], queryFn: () => read<ToolDetail>(path) }}>
        {(one) => (
          <>
            <Facts tool={one} />
            {one.pin === 'new' || one.pin === 'changed' ? <AcceptingDefinition tool={one} path={path} /> : null}
            <Contract tool={one} />
            <TryingTool key={one.definition.digest} tool={one} path={path} />
            <h2>Definition</h2>
            <p>The server says this. Nobody vouches for it; characters that nobody sees are spelled out.</p>
            <Snippet name={`SHA-256 ${one.definition.digest.slice(0, 16)}…`} text={one.definition.text} isWhole />
          </>
        )}
      </Asked>
    </Page>
  )
}

function Facts({ tool: { server, tool, name, title, about, pin, coverage, accepted, use, gateways } }: { readonly tool: ToolDetail }) {
  return (
    <dl>
      <dt>Server</dt>
      <dd>
        <Link to="/servers/$name" params={{ name: server }}>
          {server}
        </Link>
        {name === `${server}__${tool}` ? '' : `, which calls it ${tool}`}
      </dd>
      <dt>Says it does</dt>
      <dd className="said">{[title, about].filter((text) => text !== null && text !== '').join('\n') || 'nothing'}</dd>
      <dt>Definition</dt>
      <dd>
        <PinChip pin={pin} />{' '}
        {pin === 'accepted' && accepted !== null ? (
          <>
            <Time at={accepted.at} /> by {accepted.by}
          </>
        ) : null}
      </dd>
      <dt>Contract</dt>
      <dd>
        <CoverageChip coverage={coverage} />
      </dd>
      <dt>Calls lately</dt>
      <dd>
        {use.calls}, {use.refused} refused
        {use.observed === 0 ? '' : `, ${use.observed} that would have been`}
        {'; '}
        <Link to="/turns" search={{ tool: name }}>
          turns with it
        </Link>
      </dd>
      <dt>Shown by</dt>
      <dd>{gateways.length === 0 ? 'no gateway' : gateways.join(', ')}</dd>
    </dl>
  )
}

function Contract({ tool: { contract, hinted, name } }: { readonly tool: ToolDetail }) {
  const hints = hinted.length === 0 ? null : <p>A hint of its server adds: {hinted.join(', ')}.</p>
  return (
    <>
      <h2>Contract</h2>
      {contract === null ? (
        <p>
          Nobody has described it: what it returns is not trusted, and only for the person it is called for.{' '}
          <Link to="/policy" search={{ tool: name }}>
            Describe it
          </Link>
        </p>
      ) : (
        <>
          <p>
            {contract.from === 'configuration' ? 'Of the configuration' : `Of the pack ${contract.from}`}, for {contract.pattern}
            {contract.place === null ? '' : `: ${contract.place.source}:${contract.place.line}`}
          </p>
          <Snippet name={`contracts/${contract.pattern}`} text={JSON.stringify(contract.says, null, 2)} />
        </>
      )}
      {hints}
    </>
  )
}
