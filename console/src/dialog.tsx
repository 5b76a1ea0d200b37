import { useEffect, useRef, type ReactNode } from 'react'

interface DialogProps {
  readonly label: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Over the page until it is closed; the focus is inside meanwhile, and goes back to where it was. */
export function Dialog({ label, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog ref={ref} aria-label={label} onCancel={onClose} onClick={(event) => event.target === ref.current && onClose()}>
      <div className="inside">{children}</div>
    </dialog>
  )
}
