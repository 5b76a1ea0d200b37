/** The policy that runs: its lines with their places, and what is known of the tools that are used. */
import type { policySchema } from '@turnward/contract/api/policy'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, wordsIn, type FilterField } from '../filters.tsx'
import { Asked, Page, Time } from '../parts.tsx'
import { beginDraft, draftOf } from '../policy/draft.ts'
import { coverageWords, spanWords } from '../policy/words.ts'
import { CopyButton } from '../snippet.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'

export type Policy = z.output<typeof policySchema>
type Line = Pick<Policy['rules'][number], 'managed' | 'place'> & { readonly yaml: string | null }

const fields: readonly FilterField[] = [
  { name: 'since', label: 'Calls of', options: spanWords },
  { name: 'coverage', label: 'Tools', options: coverageWords },
  { name: 'tool', label: 'Name has' },
]

/** What stands in the address of the page. */
export const policyIn = wordsIn(fields.map(({ name }) => name))

/** The policy that runs, with calls of this span. */
export function policyOptions(since = '7d') {
  const query = new URLSearchParams({ since }).toString()
  return { queryKey: ['policy', since], queryFn: () => read<Policy>(`/api/policy?${query}`) }
}

export function PolicyPage() {
  const wanted = useSearch({ from: '/policy' })
  const navigate = useNavigate({ from: '/policy' })
  const since = wanted['since'] !== undefined && wanted['since'] in spanWords ? wanted['since'] : '7d'
  return (
    <Page title="Policy">
      <p className="buttons">
        <Link to="/policy/simulate" className="button">
          Simulate
        </Link>
      </p>
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={policyOptions(since)}>{(policy) => <Effective policy={policy} wanted={wanted} since={since} />}</Asked>
    </Page>
  )
}

interface EffectiveProps {
  readonly policy: Policy
  readonly wanted: ReturnType<typeof policyIn>
  readonly since: string
}

function Effective({ policy, wanted, since }: EffectiveProps) {
  const { posture, trust, packs, rules, contracts, values, revision, file } = policy
  const [own, ofPacks] = [contracts.filter(({ managed }) => managed !== 'pack'), contracts.filter(({ managed }) => managed === 'pack')]
  return (
    <>
      <dl>
        <dt>Posture</dt>
        <dd>{posture}</dd>
        <dt>Trust</dt>
        <dd>{trust.join(' < ')}</dd>
        <dt>Packs</dt>
        <dd>
          {packs.length === 0 ? 'none' : packs.map(({ pack, server }) => (server === null ? pack : `${pack} for ${server}`)).join(', ')}
        </dd>
        <dt>Configuration</dt>
        <dd>{revision}</dd>
      </dl>
      <Tools policy={policy} wanted={wanted} since={since} />
      <h2>Rules</h2>
      <Table
        caption="In their order; each that applies counts"
        columns={['Rule', 'Does', 'Reason', 'Where', 'Change']}
        rows={rules.map((rule) => ({
          key: rule.name,
          cells: [
            rule.name,
            ruleWords[rule.verdict],
            rule.reason,
            <Where key="where" {...rule} />,
            <Change key="change" file={file} {...rule} />,
          ],
        }))}
        empty={
          <p>
            There are no rules.{' '}
            <Link to="/policy/simulate" search={{ tab: 'draft' }}>
              Write one, and see what it would have done
            </Link>
          </p>
        }
      />
      <h2>Contracts</h2>
      <ContractTable caption="The most specific for a tool counts" contracts={own} file={file} />
      {ofPacks.length === 0 ? null : (
        <details>
          <summary>{countText(ofPacks.length, 'contract')} of packs</summary>
          <ContractTable caption="Contracts of packs" contracts={ofPacks} file={file} />
        </details>
      )}
      {values.length === 0 ? null : (
        <>
          <h2>Named values</h2>
          <Table
            caption="Lists that contracts name"
            columns={['List', 'Where', 'Change']}
            rows={values.map((list) => ({
              key: list.name,
              cells: [list.name, <Where key="where" {...list} />, <Change key="change" file={file} {...list} />],
            }))}
            empty={null}
          />
        </>
      )}
    </>
  )
}

const ruleWords = { deny: 'refuses', warn: 'warns', escalate: 'asks a person' } as const

/** Tools by use, those first of which nobody has said anything. */
function Tools({ policy: { tools, coverage, file, shortened, truncated, from }, wanted, since }: EffectiveProps) {
  const { coverage: only, tool: part = '' } = wanted
  const shown = tools.filter((one) => (only === undefined || one.coverage === only) && one.tool.toLowerCase().includes(part.toLowerCase()))
  const { undescribed } = coverage
  return (
    <>
      <h2>Tools</h2>
      <ul className="cards">
        {(['undescribed', 'pack', 'described'] as const).map((name) => (
          <li key={name}>
            <p>
              <strong>{countText(coverage[name].tools, 'tool')}</strong> {coverageWords[name]}
            </p>
            <p>
              {countText(coverage[name].calls, 'call')} in {spanWords[since]}
            </p>
            <p>
              <Link to="/policy" search={{ ...wanted, coverage: name }}>
                Show {name === 'pack' ? 'these' : name}
              </Link>
            </p>
          </li>
        ))}
      </ul>
      {undescribed.tools === 0 ? null : (
        <p>
          What nobody has described is read as if strangers wrote it, and runs only while a conversation has read nothing else of that kind.
        </p>
      )}
      <Table
        caption="By use"
        columns={['Tool', 'Calls', 'Refused', 'Known by', 'Do']}
        rows={shown.map((one) => ({
          key: one.tool,
          cells: [
            one.tool,
            one.calls,
            one.refused + one.observed === 0 ? '' : `${one.refused}${one.observed === 0 ? '' : `, and ${one.observed} would have been`}`,
            <span key="known" className={one.coverage === 'undescribed' ? 'bad' : undefined}>
              {one.contract === null ? 'nobody' : `${one.contract}${one.coverage === 'pack' ? ' (pack)' : ''}`}
            </span>,
            one.suggestion === null ? (
              <Link key="do" to="/policy/simulate" search={{ tab: 'call', tool: one.tool }} aria-label={`Simulate a call of ${one.tool}`}>
                Simulate a call
              </Link>
            ) : (
              <OpenDraft key="do" name={one.tool} file={file} yaml={one.suggestion} label="Describe it" />
            ),
          ],
        }))}
        empty={
          <p>
            No tool is like that. <Link to="/policy">Show all tools</Link>
          </p>
        }
      />
      {from === null ? null : (
        <p>
          Counted from <Time at={from} />.{truncated ? ' Calls before that were not counted: there are too many.' : ''}
          {shortened ? ' There are more tools than are shown.' : ''}
        </p>
      )}
    </>
  )
}

interface ContractTableProps {
  readonly caption: string
  readonly contracts: Policy['contracts']
  readonly file: string | null
}

function ContractTable({ caption, contracts, file }: ContractTableProps) {
  return (
    <Table
      caption={caption}
      columns={['Tool', 'Result is', 'Call does', 'Call needs', 'Where', 'Change']}
      rows={contracts.map((contract) => ({
        key: `${contract.pattern} ${contract.packs.join()}`,
        cells: [
          contract.pattern,
          contract.result,
          contract.does,
          contract.needs,
          contract.managed === 'pack' ? `pack ${contract.packs.join(', ')}` : <Where key="where" {...contract} />,
          <Change key="change" name={contract.pattern} file={file} {...contract} />,
        ],
      }))}
      empty={
        <p>
          You have described no tool yourself.{' '}
          <Link to="/policy" search={{ coverage: 'undescribed' }}>
            Show those nobody has described
          </Link>
        </p>
      }
    />
  )
}

function Where({ managed, place }: Pick<Line, 'managed' | 'place'>) {
  if (managed === 'console') return <>here</>
  return place === null ? <>in a file</> : <code>{`${place.source}:${place.line}`}</code>
}

/** What is made here is changed here; a line of the file only there. */
function Change({ name, file, managed, yaml }: Line & { readonly name: string; readonly file: string | null }) {
  if (yaml === null || yaml === '') return null
  if (managed === 'console') return <OpenDraft name={name} file={file} yaml={yaml} label="Edit" />
  return <CopyButton what={`as YAML: ${name}`} text={yaml} label="Copy as YAML" />
}

interface OpenDraftProps {
  readonly name: string
  readonly file: string | null
  readonly yaml: string
  readonly label: string
}

function OpenDraft({ name, file, yaml, label }: OpenDraftProps) {
  const navigate = useNavigate()
  const open = (): void => void navigate({ to: '/policy/simulate', search: { tab: 'draft' } })
  return (
    <button
      type="button"
      aria-label={`${label}: ${name}`}
      onClick={() => {
        beginDraft(draftOf(file, yaml))
        open()
      }}
    >
      {label}
    </button>
  )
}
