"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { createUser, patchUser, type UserCreated, type UserPatch, workspaceQueries } from "#app/_queries/workspace.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Select } from "#app/_ui/select.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Role, User } from "#lib/auth/shapes.ts";
import { roleOptions } from "./role-options.ts";

/** People who sign in, and what they may do. */
export function Users() {
  const users = useQuery(workspaceQueries.users());
  return (
    <div className="max-w-4xl">
      <Section title="People" actions={<AddUser />}>
        <QueryStates query={users} what="the people" skeleton={<SkeletonLines lines={4} />}>
          {({ items }) => (
            <ul className="-mt-3 divide-y divide-line border-b border-line">
              {items.map((user) => (
                <UserRow key={user.id} user={user} />
              ))}
            </ul>
          )}
        </QueryStates>
      </Section>
    </div>
  );
}

function UserRow({ user }: { user: User }) {
  const client = useQueryClient();
  const { user: me } = useSession();
  const mine = user.id === me.id;
  const patch = useMutation({
    mutationFn: (change: UserPatch) => patchUser(user.id, change),
    onSuccess: () => toast.success("Saved."),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ["users"] }),
  });
  const locked = user.lockedUntil !== null && Date.parse(user.lockedUntil) > Date.now();
  const who = user.name ?? user.email;
  return (
    <li className="grid items-center gap-x-4 gap-y-1 py-2 sm:grid-cols-[minmax(0,3fr)_minmax(0,1fr)_216px]">
      <div className="min-w-0">
        <p className="truncate font-medium">{who}</p>
        <p className="truncate text-table text-muted">
          {user.name && `${user.email} · `}
          {user.lastSignInAt ? (
            <>
              signed in <RelativeTime at={user.lastSignInAt} />
            </>
          ) : (
            "never signed in"
          )}
        </p>
      </div>
      <div>
        {user.disabled ? (
          <StatusDot status="unknown">disabled</StatusDot>
        ) : locked ? (
          <StatusDot status="watch">locked after wrong passwords</StatusDot>
        ) : (
          <StatusDot status="good">active</StatusDot>
        )}
      </div>
      <div className="flex flex-wrap items-center justify-between gap-2 max-sm:justify-start">
        <Select
          label={`Role of ${who}`}
          labelHidden
          value={user.role}
          options={roleOptions}
          disabled={patch.isPending || mine}
          onChange={(role) => patch.mutate({ role: role as Role })}
        />
        {locked && (
          <Button size="sm" disabled={patch.isPending} onClick={() => patch.mutate({ unlock: true })}>
            Unlock
          </Button>
        )}
        {mine ? (
          <span className="w-16 text-center text-table text-muted">you</span>
        ) : (
          <Button
            size="sm"
            className="w-16"
            disabled={patch.isPending}
            onClick={() => patch.mutate({ disabled: !user.disabled })}
          >
            {user.disabled ? "Enable" : "Disable"}
          </Button>
        )}
      </div>
    </li>
  );
}

function AddUser() {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("csm");
  const [made, setMade] = useState<UserCreated | null>(null);
  const add = useMutation({
    mutationFn: () => createUser({ email, name: name.trim() || null, role }),
    onSuccess: async (user) => {
      setMade(user);
      await client.invalidateQueries({ queryKey: ["users"] });
    },
  });
  const error = add.error instanceof ApiError ? add.error : null;
  const change = (next: boolean) => {
    setOpen(next);
    if (next) return;
    setMade(null);
    setEmail("");
    setName("");
    add.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Dialog title="Add a person" open={open} onOpenChange={change} trigger={<Button size="sm">Add a person</Button>}>
      {made ? (
        <div className="flex flex-col gap-3">
          <p>{made.email} can sign in with this password. It is shown this once: hand it over safely.</p>
          {made.password && (
            <p className="flex items-center gap-2">
              <code className="rounded-control bg-sunken px-2 py-1">{made.password}</code>
              <CopyButton text={made.password} label="Copy the password" />
            </p>
          )}
          <div>
            <Button onClick={() => change(false)}>Done</Button>
          </div>
        </div>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-4">
          <TextField
            label="E-mail"
            type="email"
            value={email}
            onChange={setEmail}
            error={error?.about("email") ?? undefined}
            required
          />
          <TextField label="Name" value={name} onChange={setName} />
          <Select label="Role" value={role} onChange={(next) => setRole(next as Role)} options={roleOptions} />
          {add.error && !error?.about("email") && <Notice kind="failure" announce title={reasonOf(add.error)} />}
          <div>
            <Button type="submit" variant="primary" busy={add.isPending}>
              Add
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
