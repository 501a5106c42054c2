"use client";

import { Segmented } from "#app/_ui/segmented.tsx";
import { settingsOf } from "#lib/destinations/profiles.ts";
import type { Profile, Settings } from "#lib/destinations/shapes.ts";
import { choiceOf, profileNames, settingWords, withChoice } from "./destination-words.ts";

type SettingsFieldsProps = {
  profile: Profile;
  settings: Settings;
  onChange: (settings: Settings) => void;
  disabled?: boolean;
};

/** Every setting with its choices and, in words, what the chosen one does. */
export function SettingsFields({ profile, settings, onChange, disabled }: SettingsFieldsProps) {
  const preset = settingsOf(profile);
  return (
    <ul aria-label="Settings" className="-mt-3 divide-y divide-line border-b border-line">
      {settingWords.map((setting) => {
        const chosen = choiceOf(setting, settings);
        const differs = settings[setting.key] !== preset[setting.key];
        return (
          <li key={setting.key} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
            <div className="min-w-0 flex-1 basis-64">
              <p className="font-medium">{setting.label}</p>
              <p className="text-table text-muted">
                {chosen.means}
                {differs && <span className="text-watch"> Otherwise than {profileNames[profile]} presets it.</span>}
              </p>
            </div>
            {disabled ? (
              <span className="text-table font-medium">{chosen.label}</span>
            ) : (
              <Segmented
                label={setting.label}
                value={chosen.value}
                onChange={(value) => onChange(withChoice(settings, setting.key, value))}
                options={setting.choices.map(({ value, label }) => ({ value, label }))}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
