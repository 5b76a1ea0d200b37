/** Keys of the console. Single letters can be switched off, for people who speak to their computer (WCAG 2.1.4). */
import { useEffect } from 'react'

export const shortcuts: readonly (readonly [keys: string, what: string])[] = [
  ['Ctrl K', 'Open the command menu'],
  ['?', 'Show this list'],
  ['j, k', 'Go down and up in a list'],
  ['Enter', 'Open what has the focus'],
  ['r', 'Read the page again'],
  ['Esc', 'Close'],
]

const stored = 'turnward.single-keys'

export function singleKeysAreOn(): boolean {
  return localStorage.getItem(stored) !== 'off'
}

export function switchSingleKeys(areOn: boolean): void {
  if (areOn) localStorage.removeItem(stored)
  else localStorage.setItem(stored, 'off')
}

export interface KeyActions {
  readonly openMenu: () => void
  readonly openHelp: () => void
}

export function useKeyboard({ openMenu, openHelp }: KeyActions): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, ctrlKey, metaKey, altKey } = event
      if ((ctrlKey || metaKey) && key.toLowerCase() === 'k') return taken(event, openMenu)
      if (ctrlKey || metaKey || altKey || isTyping() || !singleKeysAreOn()) return
      if (key === '?') taken(event, openHelp)
      else if (key === 'j') taken(event, () => moveInList(1))
      else if (key === 'k') taken(event, () => moveInList(-1))
      else if (key === 'r') taken(event, () => document.querySelector<HTMLElement>('[data-refresh]')?.click())
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [openMenu, openHelp])
}

function taken(event: KeyboardEvent, action: () => void): void {
  event.preventDefault()
  action()
}

function isTyping(): boolean {
  const { activeElement } = document
  return activeElement !== null && (activeElement.matches('input, select, textarea') || activeElement.closest('dialog') !== null)
}

function moveInList(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const next = at < 0 ? (by > 0 ? rows[0] : rows.at(-1)) : rows[Math.min(Math.max(at + by, 0), rows.length - 1)]
  const target = next?.matches('summary') === true ? next : (next?.querySelector<HTMLElement>('a, button') ?? next)
  target?.focus()
}
