/** What stands around every page: who is signed in, the menu, and what the keyboard opens. */
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import { CommandMenu } from './command-menu.tsx'
import { KeyboardHelp } from './keyboard-help.tsx'
import { useKeyboard } from './keyboard.ts'
import { menu } from './pages.ts'
import { Page, Refused, useMe } from './parts.tsx'

export function Frame() {
  const { data, error } = useMe()
  const [opened, setOpened] = useState<'menu' | 'help' | undefined>()
  const close = useCallback(() => setOpened(undefined), [])
  const openMenu = useCallback(() => setOpened('menu'), [])
  const openHelp = useCallback(() => setOpened('help'), [])
  useKeyboard({ openMenu, openHelp })
  if (error !== null)
    return (
      <Page title="Turnward">
        <Refused error={error} />
      </Page>
    )
  if (data === undefined) return <p role="status">Reading who you are…</p>
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header>
        <p className="who">
          {data.id} ({data.roles.length === 0 ? 'no role' : data.roles.join(', ')})
        </p>
        <p className="buttons">
          <a href="/sign-in" className="button quiet">
            Account
          </a>
          <button type="button" onClick={openMenu}>
            Go to… <kbd>Ctrl K</kbd>
          </button>
          <button type="button" onClick={openHelp} aria-label="Keyboard">
            <kbd>?</kbd>
          </button>
        </p>
      </header>
      <Menu />
      <Outlet />
      {opened === 'menu' ? <CommandMenu onClose={close} openHelp={openHelp} /> : null}
      {opened === 'help' ? <KeyboardHelp onClose={close} /> : null}
    </div>
  )
}

/** Always there where there is room for it; on a telephone behind a button. */
function Menu() {
  const [isOpen, setOpen] = useState(false)
  const { pathname } = useLocation()
  useEffect(() => setOpen(false), [pathname])
  return (
    <nav aria-label="Pages" className={isOpen ? 'open' : 'closed'}>
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Pages
      </button>
      {menu.map(({ name, pages }) => (
        <div key={name}>
          <p id={`menu-${name}`}>{name}</p>
          <ul aria-labelledby={`menu-${name}`}>
            {pages.map((page) => (
              <li key={page.to}>
                <Link to={page.to}>{page.name}</Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}
