/** What every page has: a title, a refusal told whole, what was asked for. */
import { useQuery, useQueryClient, type UseQueryOptions } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'
import { ApiError, me } from './api.ts'

export function Page({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} - Turnward`
  }, [title])
  return (
    <main id="main" tabIndex={-1}>
      <h1>{title}</h1>
      {children}
    </main>
  )
}

const signedOut = ['auth.missing_key', 'auth.signed_out']

export function Refused({ error }: { readonly error: Error }) {
  if (!(error instanceof ApiError)) return <p role="alert">{error.message}</p>
  const { code, message, why, fix } = error.refusal
  return (
    <div role="alert" className="refused">
      <p>
        <strong>{message}</strong>
      </p>
      {why === undefined ? null : <p>{why}</p>}
      <p>{fix}</p>
      <p>
        <code>{code}</code>
      </p>
      {signedOut.includes(code) ? <SignIn /> : null}
    </div>
  )
}

export function SignIn() {
  const here = `${location.pathname}${location.search}`
  return (
    <a className="button" href={`/sign-in?return=${encodeURIComponent(here)}`}>
      Sign in
    </a>
  )
}

interface AskedProps<Data> {
  readonly options: UseQueryOptions<Data, Error, Data, string[]>
  readonly children: (data: Data) => ReactNode
}

/** What was asked for, or why there is none. Asked again only by the button: nothing moves while somebody reads. */
export function Asked<Data>({ options, children }: AskedProps<Data>) {
  const { data, error, isFetching, refetch } = useQuery(options)
  return (
    <>
      <p>
        <button type="button" data-refresh onClick={() => void refetch()} aria-disabled={isFetching}>
          {isFetching ? 'Reading…' : 'Refresh'}
        </button>
      </p>
      {error === null ? null : <Refused error={error} />}
      {data === undefined ? null : children(data)}
    </>
  )
}

export function useMe() {
  return useQuery(me)
}

/** Reads everything again after a change. */
export function useReadAgain(): () => Promise<void> {
  const client = useQueryClient()
  return () => client.invalidateQueries()
}

export function Time({ at }: { readonly at: number | string | null }) {
  if (at === null) return <>never</>
  const date = new Date(at)
  return <time dateTime={date.toISOString()}>{date.toLocaleString()}</time>
}
