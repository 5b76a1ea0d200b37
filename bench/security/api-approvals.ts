/** What waits for a person at a gateway, and ruling on it, by its public API, as a person's own tools do. */
import type { Approvals, Asked } from './approver.ts'

interface Summary {
  readonly id: string
  readonly principal: string
}

interface View {
  readonly id: string
  /** `suite__tool` */
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** `key`: of the approver. */
export function apiApprovals(gateway: string, key: string): Approvals {
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${gateway}/api/approvals${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    })
    if (!answer.ok) throw new Error(`/api/approvals${path} answered ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
  return {
    async pending(principal) {
      const { approvals } = (await ask('')) as { readonly approvals: readonly Summary[] }
      const own = approvals.filter((one) => one.principal === principal)
      return Promise.all(
        own.map(async ({ id }): Promise<Asked> => {
          const { tool, arguments: args } = (await ask(`/${id}`)) as View
          return { id, tool: tool.replace(/^.*?__/, ''), args }
        }),
      )
    },
    async rule(id, verdict) {
      // Who finds a call right finds its values right.
      await ask(`/${id}/${verdict}`, verdict === 'approve' ? { endorse: true } : {})
    },
  }
}

/** How often somebody looks. */
const lookEveryMs = 100

/**
 * Rules on whatever waits while something runs. Resolves with what that came to, and with how often a person was asked. `verdict`:
 * undefined leaves it to others.
 */
export async function ruledWhile<T>(
  approvals: Approvals,
  principal: string,
  verdict: (asked: Asked) => 'approve' | 'deny' | undefined,
  work: Promise<T>,
): Promise<{ readonly result: T; readonly prompts: number }> {
  const seen = new Set<string>()
  const ended = work.then(
    () => true,
    () => true,
  )
  const pause = (): Promise<boolean> => new Promise((resolve) => void setTimeout(() => resolve(false), lookEveryMs))
  while (!(await Promise.race([ended, pause()])))
    for (const asked of await approvals.pending(principal)) {
      if (seen.has(asked.id)) continue
      seen.add(asked.id)
      const ruling = verdict(asked)
      if (ruling !== undefined) await approvals.rule(asked.id, ruling)
    }
  return { result: await work, prompts: seen.size }
}
