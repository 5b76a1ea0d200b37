/** Goes to any page, or connects a client, by a few letters of its name. */
import { connectedClientIds, connectedClients } from '@turnward/contract/connect/clients'
import { useNavigate } from '@tanstack/react-router'
import { useState, type KeyboardEvent } from 'react'
import { Dialog } from './dialog.tsx'
import { menu } from './pages.ts'

interface Command {
  readonly name: string
  readonly about: string
  readonly run: () => void
}

interface CommandMenuProps {
  readonly onClose: () => void
  readonly openHelp: () => void
}

export function CommandMenu({ onClose, openHelp }: CommandMenuProps) {
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState(0)
  const found = useCommands(words.trim(), openHelp)
  const run = (command: Command | undefined): void => {
    if (command === undefined) return
    onClose()
    command.run()
  }
  const onKey = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (by !== undefined) setChosen((at) => Math.min(Math.max(at + by, 0), found.length - 1))
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog label="Command menu" onClose={onClose}>
      <input
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found.length === 0 ? undefined : `command-${chosen}`}
        autoComplete="off"
        autoFocus
        placeholder="Go to…"
        value={words}
        onKeyDown={onKey}
        onChange={({ target }) => {
          setWords(target.value)
          setChosen(0)
        }}
      />
      <ul id="commands" role="listbox" aria-label="Commands">
        {found.map((command, at) => (
          <li
            key={command.name}
            id={`command-${at}`}
            role="option"
            aria-selected={at === chosen}
            ref={(item) => {
              if (at === chosen) item?.scrollIntoView({ block: 'nearest' })
            }}
            onClick={() => run(command)}
          >
            {command.name} <small>{command.about}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p role="status">Nothing is called like that.</p> : null}
    </Dialog>
  )
}

function fits({ name, about }: Command, words: string): boolean {
  const text = `${name} ${about}`.toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** Those that fit the words. An id of a turn leads to it. */
function useCommands(words: string, openHelp: () => void): readonly Command[] {
  const navigate = useNavigate()
  const pages = menu.flatMap((group) => group.pages)
  const commands = [
    ...pages.map(({ to, name, about }) => ({ name, about, run: () => void navigate({ to }) })),
    ...connectedClientIds.map((client) => ({
      name: `Connect ${connectedClients[client].title}`,
      about: connectedClients[client].kind,
      run: () => void navigate({ to: '/connect/$client', params: { client }, search: {} }),
    })),
    { name: 'Keyboard', about: 'keys of the console', run: openHelp },
  ]
  if (/^turn_\w+$/.test(words))
    return [{ name: words, about: 'turn', run: () => void navigate({ to: '/turns/$id', params: { id: words } }) }]
  return commands.filter((command) => fits(command, words))
}
