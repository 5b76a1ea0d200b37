/** One call, decided and not made. What is asked stands in the address; the draft it may be decided under does not. */
import type { simulationRequestSchema, simulationSchema } from '@turnward/contract/api/policy'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type SubmitEvent, useRef, useState } from 'react'
import type { z } from 'zod'
import { change, type Me } from '../api.ts'
import type { Wanted } from '../filters.tsx'
import { Refused, useMe } from '../parts.tsx'
import { Why } from '../turns/step-detail.tsx'
import { labelText } from '../words.ts'
import { DraftEditing, useDraftText, usePolicy } from './draft-editing.tsx'
import { simulationIn } from './simulation-in.ts'
import { actionWords } from './words.ts'

type Simulation = z.output<typeof simulationSchema>
type Asked = z.input<typeof simulationRequestSchema>

export function OneCall({ wanted }: { readonly wanted: Wanted }) {
  const navigate = useNavigate({ from: '/policy/simulate' })
  const who = useMe()
  const draft = useDraftText()
  // Decided when that is asked for, and not with every letter.
  const [decided, setDecided] = useState(draft)
  const [under, setUnder] = useState(wanted['under'] === 'draft' ? 'draft' : 'runs')
  const mayForOthers = who.data?.roles.some((role) => role === 'operator' || role === 'policy_author') === true
  const policy = usePolicy()
  const shown = useRef<string>(undefined)
  const form = useRef('')
  // Made anew when the address changes by a link, and not by what was just asked: the focus stays.
  const address = JSON.stringify(wanted)
  if (address !== shown.current) form.current = address
  const isUnderDraft = under === 'draft'
  const want = (search: Wanted): void => void navigate({ search })
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const entries = [...new FormData(event.currentTarget)].filter(([, value]) => typeof value === 'string' && value.trim() !== '')
    const search: Wanted = { tab: 'call', ...(Object.fromEntries(entries) as Wanted) }
    shown.current = JSON.stringify(simulationIn(search))
    setDecided(draft)
    want(search)
  }
  return (
    <>
      <form key={form.current} onSubmit={submit} className="wide">
        <div className="columns">
          <fieldset>
            <legend>Who</legend>
            <Field
              wanted={wanted}
              name="principal"
              label="For"
              hint={mayForOthers ? 'you, unless you say who' : 'you; for others it takes the role operator or policy_author'}
            />
            <Field wanted={wanted} name="groups" label="In groups" hint="instead of those that are known, with commas" />
            <Field wanted={wanted} name="agent" label="By the agent" />
          </fieldset>
          <fieldset>
            <legend>What</legend>
            <Field
              wanted={wanted}
              name="tool"
              label="Tool"
              hint="server__tool, or a tool that clients run"
              isNeeded
              options={policy?.tools.map(({ tool }) => tool)}
            />
            <label>
              Arguments, as JSON
              <textarea name="args" rows={3} spellCheck={false} defaultValue={wanted['args'] ?? '{}'} />
            </label>
            <Field wanted={wanted} name="gateway" label="At the MCP gateway" />
          </fieldset>
          <fieldset>
            <legend>In a conversation that</legend>
            <label>
              has read content of trust
              <select name="trust" defaultValue={wanted['trust'] ?? ''}>
                <option value="">the highest</option>
                {(policy?.trust ?? (wanted['trust'] === undefined ? [] : [wanted['trust']])).map((rank) => (
                  <option key={rank}>{rank}</option>
                ))}
              </select>
            </label>
            <Field wanted={wanted} name="audience" label="may be told to" hint="readers, with commas; everybody without any" />
            <Field wanted={wanted} name="session" label="or is this session now" hint="its id" />
            <Field wanted={wanted} name="said" label="and in which the person wrote" hint="for arguments whose values need a source" />
          </fieldset>
        </div>
        <label>
          Decided under
          <select name="under" value={under} onChange={({ target }) => setUnder(target.value)}>
            <option value="runs">what runs</option>
            <option value="draft">the draft</option>
          </select>
        </label>
        {isUnderDraft ? <DraftEditing /> : null}
        <p>
          <button type="submit" className="primary">
            Decide it
          </button>{' '}
          Nothing is called, asked or put on record.
        </p>
      </form>
      {wanted['tool'] === undefined || who.data === undefined ? null : (
        <Decided me={who.data} wanted={wanted} draft={wanted['under'] === 'draft' ? decided : undefined} />
      )}
    </>
  )
}

interface FieldProps {
  readonly wanted: Wanted
  readonly name: string
  readonly label: string
  readonly hint?: string
  readonly isNeeded?: boolean
  readonly options?: readonly string[] | undefined
}

function Field({ wanted, name, label, hint, isNeeded = false, options }: FieldProps) {
  const list = options === undefined || options.length === 0 ? undefined : `${name}-options`
  return (
    <label>
      {label}
      <input name={name} required={isNeeded} maxLength={2000} defaultValue={wanted[name] ?? ''} list={list} autoComplete="off" />
      {hint === undefined ? null : <small>{hint}</small>}
      {list === undefined ? null : (
        <datalist id={list}>
          {options?.slice(0, 200).map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  )
}

interface DecidedProps {
  readonly me: Me
  readonly wanted: Wanted
  /** Undefined: what runs. */
  readonly draft: string | undefined
}

function Decided({ me, wanted, draft }: DecidedProps) {
  const { data, error, isFetching } = useQuery({
    queryKey: ['simulate', JSON.stringify(wanted), draft ?? ''],
    queryFn: () => change<Simulation>(me, 'POST', '/api/policy/simulate', askedBy(wanted, draft)),
    placeholderData: (before) => before,
  })
  return (
    <section aria-label="What would become of it" aria-busy={isFetching}>
      {error === null ? null : <Refused error={error} />}
      {data === undefined || error !== null ? null : <Outcome simulation={data} />}
    </section>
  )
}

function Outcome({ simulation }: { readonly simulation: Simulation }) {
  const { action, reason, tool, server, decidedBy, labelBefore, labelAfter, awaits, notes, contract, draft } = simulation
  return (
    <>
      <div role="status">
        <h2 className={action === 'refuse' ? 'bad' : action === 'release' ? 'good' : undefined}>
          {actionWords[action] ?? action}
          {draft === null ? '' : ' under the draft'}
        </h2>
      </div>
      <p>
        <code>{tool}</code>: {reason}
      </p>
      <Why {...simulation} />
      <dl>
        <dt>Decided by</dt>
        <dd>
          <ul className="plain">
            {decidedBy.map(({ source, managed, place }) => (
              <li key={source}>
                {source}{' '}
                <small>
                  {place === null ? (managed === 'console' ? '(made here)' : '') : `(${place.source}:${place.line}:${place.column})`}
                </small>
              </li>
            ))}
          </ul>
        </dd>
        <dt>Contract</dt>
        <dd>{contract ?? 'nobody has described the tool'}</dd>
        <dt>Server</dt>
        <dd>{server ?? 'none: a client runs it'}</dd>
        {awaits.length === 0 ? null : (
          <>
            <dt>Waits for</dt>
            <dd>{awaits.map(({ from, count }) => `${count} of ${from.join(', ')}`).join('; ')}</dd>
          </>
        )}
        <dt>Label before</dt>
        <dd>{labelText(labelBefore)}</dd>
        <dt>Label after</dt>
        <dd>{labelText(labelAfter)}</dd>
      </dl>
      {notes.length === 0 ? null : (
        <ul>
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </>
  )
}

/** Throws an Error that says what of it cannot be asked. */
function askedBy(wanted: Wanted, draft: string | undefined): Asked {
  const { principal, groups, agent, gateway, tool = '', args = '{}', trust, audience, session, said } = wanted
  const label =
    trust === undefined && audience === undefined
      ? undefined
      : { ...(trust !== undefined && { trust }), audience: audience === undefined ? [] : [listIn(audience)] }
  return {
    tool,
    arguments: argumentsIn(args),
    who: {
      ...(principal !== undefined && { principal }),
      ...(groups !== undefined && { groups: listIn(groups) }),
      ...(agent !== undefined && { agent }),
    },
    ...(gateway !== undefined && { gateway }),
    ...(session !== undefined && { session }),
    ...(label !== undefined && { label }),
    ...(said !== undefined && { said }),
    ...(draft !== undefined && { draft }),
  }
}

function argumentsIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new Error(`The arguments are not JSON: ${error instanceof Error ? error.message : 'they cannot be read'}`, { cause: error })
  }
  throw new Error('The arguments are an object in JSON, such as {"to": "ada@acme.example"}.')
}

function listIn(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
