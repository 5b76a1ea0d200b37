/**
 * Tells whoever the configuration names that a call waits for a person. What is sent is signed with the time it was sent, and the
 * address is the administrator's alone; a failure is tried again for a while and holds up nothing.
 */
import { createHmac } from 'node:crypto'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { guardedFetch } from '../../identity/guarded-fetch.ts'
import type { Approval } from './approval.ts'
import { linesOf } from './showing-arguments.ts'

export interface WebhookParts {
  readonly snapshot: () => Pick<Snapshot, 'settings'>
  readonly link: (id: string) => string | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** How long the first pause before another try is, in milliseconds; each is four times the one before. Default 1,000. */
  readonly pauseMs?: number
}

type Webhook = NonNullable<Snapshot['settings']['approvals']['webhook']>

/** Messages that wait to be told again; the oldest are given up. */
const mostWaiting = 1000
const longestPauseMs = 5 * 60_000

export class ApprovalWebhook {
  readonly #parts: WebhookParts
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(parts: WebhookParts) {
    this.#parts = parts
  }

  /** Begins to tell; nobody waits for it. */
  tell(approval: Approval): void {
    const { webhook } = this.#parts.snapshot().settings.approvals
    if (webhook === undefined || this.#closing.signal.aborted) return
    if (this.#running.size >= mostWaiting) {
      this.#parts.logger.warn({ id: approval.id }, 'too many webhooks of approvals wait: one is left out')
      return
    }
    const running = this.#send(webhook, approval).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running)
  }

  async #send(webhook: Webhook, approval: Approval): Promise<void> {
    const body = JSON.stringify(messageOf(approval, webhook, this.#parts.link(approval.id)))
    const { logger, pauseMs = 1000 } = this.#parts
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      const failure = await this.#post(webhook, approval.id, body)
      if (failure === undefined) return
      if (!failure.mayPass || attempt >= webhook.retries) {
        logger.warn({ id: approval.id, why: failure.why, attempts: attempt + 1 }, 'the webhook of an approval could not be told')
        return
      }
      await this.#pause(Math.min(longestPauseMs, pauseMs * 4 ** attempt))
    }
  }

  /** Undefined when it was taken. `mayPass`: whether another try may do better. */
  async #post(
    { url, secret }: Webhook,
    id: string,
    body: string,
  ): Promise<{ readonly why: string; readonly mayPass: boolean } | undefined> {
    const time = Math.floor(this.#parts.clock.now() / 1000)
    try {
      const answer = await guardedFetch({ home: url, allowHttp: true })(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'turnward-signature': `t=${time},v1=${signatureOf(secret, time, body)}`,
        },
        body,
        signal: this.#closing.signal,
      })
      if (answer.ok) return undefined
      const mayPass = answer.status >= 500 || answer.status === 408 || answer.status === 425 || answer.status === 429
      return { why: `it answered ${answer.status}`, mayPass }
    } catch (error) {
      return { why: error instanceof Error ? error.message : 'it cannot be reached', mayPass: true }
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#closing
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      timer.unref()
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
    })
  }
}

/** HMAC-SHA256 (hex) over the time in seconds, a dot, and the body. */
export function signatureOf(secret: string, time: number, body: string): string {
  return createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
}

function messageOf({ id, facts, digest, created, expires }: Approval, webhook: Webhook, link: string | undefined): object {
  return {
    type: 'approval.asked',
    id,
    tool: facts.tool,
    principal: facts.principal,
    actor: facts.actor,
    reason: facts.reason,
    approvers: facts.terms,
    session: facts.session,
    turn: facts.turn,
    created,
    expires,
    digest,
    link: link ?? null,
    ...(webhook.arguments ? { arguments: facts.args, shown: linesOf(facts.contents ?? facts.args) } : {}),
  }
}
