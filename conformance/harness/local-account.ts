/** Accounts of the gateway itself, as their people set them up: in a browser, with an authenticator app. */
import { Secret, TOTP } from 'otpauth'
import { expect } from 'vitest'
import type { CliResult } from './cli.ts'
import { ScriptedBrowser } from './scripted-browser.ts'

export interface LocalAccount {
  /** Signed in. */
  readonly browser: ScriptedBrowser
  /** Of the authenticator app. */
  readonly secret: string
  readonly recovery: readonly string[]
  /** What set it up; used by now. */
  readonly link: string
}

/** What the app shows at a moment. */
export function codeOf(secret: string, at = Date.now()): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: at })
}

/** The secret on the page that is shown. */
export function shownSecret({ page: { text } }: ScriptedBrowser): string {
  return (/<span class="code"\s*>([A-Z2-7 ]+)<\/span/.exec(text)?.[1] ?? '').replaceAll(' ', '')
}

/** The recovery codes on the page that is shown. */
export function shownRecovery({ page: { text } }: ScriptedBrowser): readonly string[] {
  return [...text.matchAll(/<code>([a-z2-9]{5}-[a-z2-9]{5})<\/code>/g)].map(([, code = '']) => code)
}

/** Adds an account and sets its password in a browser, which is signed in then. */
export async function newAccount(
  { cli }: { readonly cli: (args: readonly string[]) => Promise<CliResult> },
  name: string,
  password: string,
  { role }: { readonly role?: string } = {},
): Promise<LocalAccount> {
  const { stdout, stderr } = await cli(['accounts', 'add', name, ...(role === undefined ? [] : ['--role', role]), '--json'])
  expect(stderr).toBe('')
  const { link } = JSON.parse(stdout) as { link: string }
  const browser = new ScriptedBrowser()
  await browser.open(link)
  const secret = shownSecret(browser)
  await browser.send('Save and sign in', { password, again: password, code: codeOf(secret) })
  return { browser, secret, recovery: shownRecovery(browser), link }
}
