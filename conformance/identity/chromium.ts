/** Debian's Chromium: windows of browsers that nobody has used, what they complain about, and what a page must look like in them. */
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'

const screenshots = process.env['SIGN_IN_SCREENSHOTS']

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

export interface Window {
  readonly context: BrowserContext
  readonly page: Page
  /** Errors of the console, but for answers with a status of 4xx. */
  readonly complaints: readonly string[]
  readonly close: () => Promise<void>
}

/** A window of a browser that nobody has used. */
export async function newWindow(browser: Browser): Promise<Window> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('status of 4')) complaints.push(message.text())
  })
  return { context, page, complaints, close: () => context.close() }
}

/** The page fits a telephone and a screen, in light and dark; every field has a label. `SIGN_IN_SCREENSHOTS=folder` keeps pictures. */
export async function looksRight(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [320, 1000]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      if (screenshots !== undefined)
        await page.screenshot({ path: join(screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true })
    }
  const unnamed = `[...document.querySelectorAll('input:not([type=hidden])')].filter((input) => input.labels.length === 0).length`
  expect(await page.evaluate(unnamed)).toBe(0)
  expect(await page.evaluate(`getComputedStyle(document.querySelector('main')).borderTopStyle`)).toBe('solid')
}
