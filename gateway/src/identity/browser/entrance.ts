/** A way in for browsers: what it answers, errors included, is a page. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { html } from './html.ts'
import { answerPage } from './page.ts'

export type BrowserHandler = (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void> | void

export interface BrowserEntrance {
  readonly path: string
  readonly methods: readonly string[]
  /** `browser`: whoever is not signed in in this browser is sent to sign in, or is told that there is nothing. */
  readonly needs: 'anyone' | 'browser'
  readonly handle: BrowserHandler
}

/** The handler with its errors told on a page. */
export function onPages(handle: BrowserHandler, logger: Logger): BrowserHandler {
  return async (request, response, parameter) => {
    try {
      await handle(request, response, parameter)
    } catch (thrown) {
      const error = asTurnwardError(thrown)
      const { status, code } = error
      if (status >= 500) logger.warn({ code, err: error }, 'a page could not be shown')
      if (response.headersSent) {
        response.destroy()
        return
      }
      if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
      // What is left of a form is not read.
      if (!request.complete) response.setHeader('connection', 'close')
      const body = html`<p class="problem" role="alert">${error.message}</p>
        <p class="quiet">Code: <code>${code}</code></p>
        <p><a href="/sign-in">Sign in again</a></p>`
      answerPage(response, status, { title: 'This did not work', body })
    }
  }
}
