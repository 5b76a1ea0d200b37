/** The editor of drafts, as somebody with a keyboard uses it. */
import type { Locator, Page } from 'playwright-core'

/** Once it is loaded. */
export async function draftIn(page: Page): Promise<Locator> {
  const editor = page.locator('.cm-content').and(page.getByRole('textbox', { name: 'Draft, as YAML' }))
  await editor.waitFor()
  return editor
}

/** In the place of what is there. */
export async function writeInto(editor: Locator, text: string): Promise<void> {
  await editor.press('ControlOrMeta+a')
  await editor.press('Backspace')
  await editor.page().keyboard.insertText(text)
}
