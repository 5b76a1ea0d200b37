/** Requests to `/api` as the person who is signed in in this browser. The console asks for nothing else. */
import type { meSchema } from '@turnward/contract/api/me'
import type { apiErrorSchema } from '@turnward/contract/api/shared'
import { queryOptions } from '@tanstack/react-query'
import type { z } from 'zod'

export type Me = z.output<typeof meSchema>
type Refusal = z.output<typeof apiErrorSchema>['error']

/** What the gateway refused, with the six parts of its errors. */
export class ApiError extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = 'ApiError'
    this.refusal = refusal
  }
}

export const me = queryOptions({ queryKey: ['me'], queryFn: () => read<Me>('/api/me') })

/** Rejects with `ApiError`. */
export function read<Answer>(path: string): Promise<Answer> {
  return ask(path, { method: 'GET' })
}

/** Changes something; the form value says that a page of ours asks. `more`: headers beside it. Rejects with `ApiError`. */
export function change<Answer>(
  who: Me,
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const headers = { ...more, ...(who.form === undefined ? {} : { [who.form.header]: who.form.value }) }
  if (body === undefined) return ask(path, { method, headers })
  return ask(path, { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

async function ask<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' }).catch(() => undefined)
  if (response === undefined)
    throw new ApiError({ code: 'console.unreachable', message: 'The gateway does not answer.', fix: 'Check that it runs, then try again.' })
  if (!response.ok) throw new ApiError(await refusalOf(response))
  return (await response.json().catch(() => undefined)) as Answer
}

/** Why the gateway refused. */
export async function refusalOf(response: Response): Promise<Refusal> {
  const answered: unknown = await response.json().catch(() => undefined)
  const refusal = (answered as { error?: Refusal } | undefined)?.error
  return (
    refusal ?? {
      code: `http.${response.status}`,
      message: `The gateway answered ${response.status}.`,
      fix: 'Try again, or look at its log.',
    }
  )
}
