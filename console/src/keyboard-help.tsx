import { useState } from 'react'
import { Dialog } from './dialog.tsx'
import { shortcuts, singleKeysAreOn, switchSingleKeys } from './keyboard.ts'

export function KeyboardHelp({ onClose }: { readonly onClose: () => void }) {
  const [areOn, setOn] = useState(singleKeysAreOn)
  return (
    <Dialog label="Keyboard" onClose={onClose}>
      <h2>Keyboard</h2>
      <dl>
        {shortcuts.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input
          type="checkbox"
          checked={areOn}
          onChange={({ target }) => {
            switchSingleKeys(target.checked)
            setOn(target.checked)
          }}
        />
        Keys that are one letter
      </label>
      <p>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  )
}
