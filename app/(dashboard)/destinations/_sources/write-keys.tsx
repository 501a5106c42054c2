"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rotateWriteKey, type SourceCreated, sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Select } from "#app/_ui/select.tsx";
import type { Source } from "#lib/sources/shapes.ts";

type WriteKeysProps = { source: Source; editable: boolean; onRotated: (source: SourceCreated) => void };

/** The keys that work now; only their last characters are known here. */
export function WriteKeys({ source, editable, onRotated }: WriteKeysProps) {
  return (
    <Section
      title="Write keys"
      description="Only a hash of each is kept."
      actions={editable && <Rotate source={source} onRotated={onRotated} />}
    >
      <ul aria-label="Write keys" className="-mt-3 divide-y divide-line border-b border-line text-table">
        {source.keys.map((key) => (
          <li key={key.id} className="flex flex-wrap items-baseline gap-x-4 py-2">
            <code className="font-medium">{key.hint}</code>
            <span className="text-muted">
              made <RelativeTime at={key.createdAt} />
            </span>
            <span className="text-muted">
              {key.lastUsedAt ? (
                <>
                  used <RelativeTime at={key.lastUsedAt} />
                </>
              ) : (
                "never used"
              )}
            </span>
            {key.endsAt && (
              <span className="text-watch">
                replaced, works until <RelativeTime at={key.endsAt} as="clock" />
              </span>
            )}
          </li>
        ))}
        {source.keys.length === 0 && <li className="py-2 text-muted">No key works.</li>}
      </ul>
    </Section>
  );
}

const spans = [
  { value: "0", label: "Ends at once" },
  { value: "60", label: "Works for an hour" },
  { value: "1440", label: "Works for a day" },
  { value: "10080", label: "Works for a week" },
];

/** A new key, and how long programs have to change over. */
function Rotate({ source, onRotated }: Omit<WriteKeysProps, "editable">) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [minutes, setMinutes] = useState("1440");
  const rotate = useMutation({
    mutationFn: () => rotateWriteKey(source.id, Number(minutes)),
    onSuccess: async (rotated) => {
      onRotated(rotated);
      setOpen(false);
      await client.invalidateQueries({ queryKey: sourceQueries.all() });
    },
  });
  return (
    <Dialog
      title="Make a new write key"
      description="The new one is shown once, at the top of the panel."
      open={open}
      onOpenChange={setOpen}
      trigger={<Button size="sm">Rotate</Button>}
    >
      <div className="flex flex-col gap-4">
        <Select label="The present key" value={minutes} onChange={setMinutes} options={spans} />
        {rotate.error && <Notice kind="failure" announce title={reasonOf(rotate.error)} />}
        <div>
          <Button variant="primary" busy={rotate.isPending} onClick={() => rotate.mutate()}>
            Make the key
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
