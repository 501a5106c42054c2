"use client";

import { RadioGroup } from "radix-ui";
import { cn } from "#app/_ui/class-names.ts";
import { presets } from "#lib/destinations/profiles.ts";
import { type Profile, profiles } from "#lib/destinations/shapes.ts";
import { choiceOf, profileNames, settingWords } from "./destination-words.ts";

type ProfileChoiceProps = { value: Profile; onChange: (profile: Profile) => void; disabled?: boolean };

const cell = "border-b border-line py-1.5 pe-3 align-top last:pe-0";

/** The two profiles side by side, setting by setting; where they differ is set off. */
export function ProfileChoice({ value, onChange, disabled }: ProfileChoiceProps) {
  return (
    <RadioGroup.Root
      aria-label="Profile"
      value={value}
      onValueChange={(next) => onChange(next as Profile)}
      disabled={disabled}
    >
      <table className="w-full table-fixed text-table">
        <colgroup>
          <col className="w-[36%] sm:w-[40%]" />
          <col />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col" className={`${cell} text-start font-medium text-muted`}>
              What it presets
            </th>
            {profiles.map((profile) => (
              <th key={profile} scope="col" className={`${cell} text-start font-medium`}>
                <span className="flex items-start gap-x-2 gap-y-1 max-sm:flex-col">
                  <RadioGroup.Item
                    id={`profile-${profile}`}
                    value={profile}
                    className="relative mt-px flex size-4 shrink-0 items-center justify-center rounded-full border border-edge bg-canvas after:absolute after:-inset-1 data-[state=checked]:border-accent-fill disabled:opacity-60"
                  >
                    <RadioGroup.Indicator className="size-2 rounded-full bg-accent-fill" />
                  </RadioGroup.Item>
                  <label htmlFor={`profile-${profile}`}>{profileNames[profile]}</label>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {settingWords.map((setting) => {
            const choices = profiles.map((profile) => choiceOf(setting, presets[profile]).label);
            const differ = new Set(choices).size > 1;
            return (
              <tr key={setting.key}>
                <th scope="row" className={`${cell} text-start font-normal break-words text-muted`}>
                  {setting.label}
                </th>
                {profiles.map((profile, at) => (
                  <td
                    key={profile}
                    className={cn(cell, differ ? "font-medium" : "text-muted", profile === value && "text-ink")}
                  >
                    {choices[at]}
                    {differ && at === 1 && <span className="sr-only"> (differs)</span>}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </RadioGroup.Root>
  );
}
